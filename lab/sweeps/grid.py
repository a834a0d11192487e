"""The sweeper behind ``-m``: every combination of the values typed."""

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from lab.errors import LabError
from lab.sweeps.conductor import Conductor
from lab.sweeps.jobs import Job, differing


class Grid(Sweeper):
    """Hydra's basic sweeper, but for what becomes of jobs that fail or are not reached: see ``Conductor``.

    Args:
        params: options and their values, beside those that were typed.
        max_batch_size: jobs that are launched together, at most.
        goes_on: what is in the folder is this sweep's own.
    """

    def __init__(self, params: dict[str, Any] | None, max_batch_size: int | None, goes_on: bool) -> None:
        self.params = params or {}
        self.max_batch_size = max_batch_size
        self.goes_on = goes_on

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        if self.max_batch_size is not None and self.max_batch_size < 1:
            raise LabError(f"hydra.sweeper.max_batch_size={self.max_batch_size} launches nothing: give 1 or more")
        self.conductor = Conductor(hydra_context, task_function, config, self.goes_on)

    def sweep(self, arguments: list[str]) -> None:
        """Runs every job and says what came out.

        Raises:
            LabError: if one has failed.
        """
        found = overrides(self.conductor.context, self.params, arguments)
        for override in found:
            if override.is_sweep_override() and not override.is_discrete_sweep():
                raise LabError(
                    f"{override.get_key_element()} has a range, and -m takes values: write A,B,C, or search in it "
                    "with sweep=search"
                )
        (combinations,) = BasicSweeper.split_arguments(found, None)
        places = [self.conductor.subfolder(number, words) for number, words in enumerate(combinations)]
        folder = self.conductor.folder  # only now, for what makes no sense leaves nothing behind
        jobs = [Job(n, tuple(words), folder / places[n]) for n, words in enumerate(combinations)]
        names = differing(jobs)
        self.conductor.run(jobs, names, len(jobs), self.max_batch_size)
        self.conductor.finish(jobs, names)


def overrides(context: HydraContext, params: dict[str, Any], arguments: Sequence[str]) -> list[Override]:
    """Those of the configuration and those that were typed, which have the last word."""
    typed = OverridesParser.create(config_loader=context.config_loader).parse_overrides(list(arguments))
    names = {override.key_or_group for override in typed}
    said = [f"{name}={value}" for name, value in params.items() if name not in names]
    try:
        return [*OverridesParser.create(config_loader=context.config_loader).parse_overrides(said), *typed]
    except HydraException as error:
        raise LabError(f"hydra.sweeper.params: {str(error).splitlines()[0]}") from error
