"""A sweeper that seeks good options with Optuna: it asks for the next job, and tells what came of it.

Why a sweeper of the lab's own: hydra-optuna-sweeper 1.3 is held at Optuna 2, whose storage on disk fails with the
SQLAlchemy of today, and its successor needs Hydra 1.4. Optuna's ask and tell and its journal on disk are all it takes.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from lab.config.quoting import quoted
from lab.errors import LabError
from lab.sweeps import launching
from lab.sweeps.conductor import Conductor
from lab.sweeps.grid import overrides
from lab.sweeps.jobs import Job, best_evaluation

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

STUDY_FILE = "study.journal"
"""What Optuna knows, in the folder of the sweep."""
_RANGES = "write interval(A,B), tag(log,interval(A,B)), range(A,B) or A,B,C"


class Search(Sweeper):
    """Tree-structured Parzen estimators (Bergstra et al. 2011) over the ranges that were typed, with jobs ended early
    that lie above the median of the others.

    Args:
        params: options and their ranges, beside those that were typed.
        n_trials: jobs in all.
        seed: of what is proposed.
        prune: end jobs early.
        startup_trials: jobs before any is ended early.
        goes_on: what is in the folder is this search's own.
    """

    def __init__(
        self, params: dict[str, Any] | None, n_trials: int, seed: int, prune: bool, startup_trials: int, goes_on: bool
    ) -> None:
        self.params = params or {}
        self.n_trials = n_trials
        self.seed = seed
        self.prune = prune
        self.startup_trials = startup_trials
        self.goes_on = goes_on

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        if self.n_trials < 1 or self.startup_trials < 0:
            raise LabError("hydra.sweeper.n_trials= must be 1 or more, and hydra.sweeper.startup_trials= 0 or more")
        try:
            import optuna  # noqa: F401
        except ImportError as error:
            raise LabError(f"hydra/sweeper=search needs Optuna: {launching.MISSING}") from error
        self.conductor = Conductor(hydra_context, task_function, config, self.goes_on)

    def sweep(self, arguments: list[str]) -> None:
        """Runs the jobs, a batch at a time, and says what came out.

        Raises:
            LabError: if there is nothing to seek in, or a job has failed.
        """
        import optuna

        found = overrides(self.conductor.context, self.params, arguments)
        space = {o.get_key_element(): distribution(o) for o in found if o.is_sweep_override()}
        if not space:
            raise LabError("a search needs ranges: write optimizer.lr='tag(log,interval(1e-4,1e-2))', say")
        fixed = [f"{o.get_key_element()}={o.get_value_element_as_str()}" for o in found if not o.is_sweep_override()]
        with _quietly():
            study = self._study(optuna.samplers.TPESampler(seed=self.seed, constant_liar=True))
            trials = self._trials(study, space)
            jobs = [self._job(trial, fixed) for trial in trials]
            left = [job for job, trial in zip(jobs, trials, strict=True) if not trial.state.is_finished()]
            together = launching.at_once(self.conductor.launcher, self.n_trials)
            while left or len(jobs) < self.n_trials:
                while len(left) < together and len(jobs) < self.n_trials:
                    trial = study.ask(space)
                    job = self._job(study.get_trials(deepcopy=False)[trial.number], fixed)
                    jobs.append(job)
                    left.append(job)
                batch, left = left[:together], left[together:]
                self.conductor.run(batch, list(space), self.n_trials)
                for job in batch:
                    self._tell(study, job)
        self.conductor.finish(jobs, list(space))

    def _study(self, sampler: "BaseSampler") -> "Study":
        import optuna

        path = self.conductor.folder / STUDY_FILE
        if path.exists() and not self.goes_on:
            raise LabError(f"{path} is there already: resume={self.conductor.folder} goes on with that search")
        return optuna.create_study(
            storage=storage(path), study_name="search", sampler=sampler, direction="minimize", load_if_exists=True
        )

    def _trials(self, study: "Study", space: "dict[str, BaseDistribution]") -> "list[FrozenTrial]":
        """Those that there are. What the file says of them becomes options of jobs: nothing but what lies in ``space``
        may, for the folder may come from anywhere.

        Raises:
            LabError: if one does not.
        """
        from optuna.trial import TrialState

        found = []
        for trial in study.get_trials(deepcopy=False):
            if any(space.get(name) != known for name, known in trial.distributions.items()):
                raise LabError(f"{self.conductor.folder / STUDY_FILE} is of another search: give another folder")
            if trial.distributions.keys() == space.keys():
                found.append(trial)
            elif not trial.state.is_finished():  # the process was killed while it asked
                study.tell(trial.number, state=TrialState.FAIL)
        return found

    def _job(self, trial: "FrozenTrial", fixed: list[str]) -> Job:
        words = [*fixed, *(f"{name}={value}" for name, value in trial.params.items())]
        if self.prune:
            words += [
                "+callbacks.pruning._target_=lab.sweeps.pruning.Pruning",
                quoted("+callbacks.pruning.study", str(self.conductor.folder / STUDY_FILE)),
                f"+callbacks.pruning.trial={trial.number}",
                f"+callbacks.pruning.startup_trials={self.startup_trials}",
            ]
        return Job(trial.number, tuple(words), self.conductor.folder / self.conductor.subfolder(trial.number, words))

    def _tell(self, study: "Study", job: Job) -> None:
        from optuna.trial import TrialState

        state, best = self.conductor.became(job).state, best_evaluation(job)
        if state == "finished" and best is not None:
            study.tell(job.number, best.val_loss)
        else:
            study.tell(job.number, state=TrialState.PRUNED if state == "pruned" else TrialState.FAIL)


def storage(path: Path) -> Any:
    """Optuna's, in a file that several processes may write to."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


def pruner(startup_trials: int) -> "BasePruner":
    """What decides that a job is not worth its time."""
    from optuna.pruners import MedianPruner

    return MedianPruner(n_startup_trials=startup_trials)


def distribution(override: Override) -> "BaseDistribution":
    """What the range of an option is to Optuna.

    Raises:
        LabError: if it is empty, or something that no distribution stands for.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value, name = override.value(), override.get_key_element()
    log = "log" in getattr(value, "tags", ())
    try:
        if isinstance(value, ChoiceSweep):
            return CategoricalDistribution(list(override.sweep_string_iterator()))
        if isinstance(value, IntervalSweep) and value.start is not None and value.end is not None:
            if isinstance(value.start, int) and isinstance(value.end, int):  # int(interval(A,B)) makes them so
                return IntDistribution(value.start, value.end, log=log)
            return FloatDistribution(float(value.start), float(value.end), log=log)
        if isinstance(value, RangeSweep):
            listed = list(value.range())
            if all(isinstance(number, int) for number in listed):
                return IntDistribution(listed[0], listed[-1], step=1 if log else int(value.step), log=log)
            return FloatDistribution(float(listed[0]), float(listed[-1]), step=float(value.step))
    except (ValueError, TypeError, IndexError) as error:
        raise LabError(f"{name}: {error}; {_RANGES}") from error
    raise LabError(f"{name} has no range to search in: {_RANGES}")


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Optuna logs each trial, and warns of what is experimental in it: what matters, the sweep says."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="optuna")
        warnings.filterwarnings("ignore", message=".*(constant_liar|is experimental)")
        try:
            yield
        finally:
            logger.setLevel(level)
