"""What ``lab.train`` starts: a run, or the runs of a sweep. Hydra calls the job by the name of this file."""

import contextlib
import math
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_original_cwd
from omegaconf import DictConfig

from lab.config import quoting, resolvers, typed_code, typed_overrides
from lab.config.choices import CONF_FOLDER
from lab.config.devices import of_launcher, refuse_unstarted, with_words
from lab.config.groups import register
from lab.config.schema import Config, check
from lab.errors import FolderTaken, Interrupted, LabError
from lab.files.paths import typed_path
from lab.files.run_files import LOG_FILE
from lab.runs.folder import end_in_mistake, existing, note_end
from lab.runs.ownership import refuse_other_sweep
from lab.sweeps import going_on, plugins, stopping
from lab.system import ranks, rendezvous, standard_streams
from lab.training import slurm


class Jobs:
    """What one command line starts: a run, or the runs of a sweep.

    Args:
        words: what was typed.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        """As they were typed: of code, these alone may say what is run."""
        self.there = existing(words)
        """What was there before, of the places that the run may take."""
        self.failures: list[str] = []
        """What the run has failed with, told already."""
        self._process = os.getpid()

    def run(self, composed: DictConfig) -> float:
        """What Hydra calls for each job. Returns the best validation loss, for sweepers that seek the best options;
        infinity where there is none."""
        folder = Path(HydraConfig.get().runtime.output_dir)
        if HydraConfig.get().mode != RunMode.MULTIRUN:
            try:
                return self._run(composed, folder)
            except LabError as error:
                self._fail(error, folder)
                return math.inf
        from lab.system.process_state import put_back  # knows torch

        if stopping.is_told(Path(HydraConfig.get().sweep.dir)):
            return math.inf
        with put_back(), self._unwatched(folder):
            return self._run(composed, folder)
        return math.inf  # told to end, in a process of its own

    def _run(self, composed: DictConfig, folder: Path) -> float:
        try:
            config = _checked(composed)
            with typed_code.allowed(self.words, config.parts, Path(get_original_cwd())):
                return _best_val_loss(config, folder, self.words)
        except LabError as error:
            # Else it is for `run` to say what becomes of the folder, or not for us at all.
            if HydraConfig.get().mode == RunMode.MULTIRUN and not isinstance(error, FolderTaken):
                note_end(folder, "failed", str(error))
            raise
        except Interrupted as stop:
            note_end(folder, "stopped", stop.reason)
            if stop.exit_code:  # by a signal, which means the whole sweep
                # Only with both does the same command, started again, go on from what was saved.
                if stop.reason in slurm.WARNINGS and composed.save and composed.resume == "auto":
                    slurm.requeue()
                raise
            return math.inf
        except Exception as error:
            note_end(folder, "failed", f"{type(error).__name__}: {error}")
            raise

    def __setstate__(self, state: dict[str, Any]) -> None:
        register()  # in a process that a launcher has started: before Hydra composes the job there
        self.__dict__.update(state)

    @contextlib.contextmanager
    def _unwatched(self, folder: Path) -> Iterator[None]:
        """Around a job of a sweep: in a process of its own, what it prints goes into its folder, and what ends it is
        fit to be sent to the process that waits for it."""
        if os.getpid() == self._process:
            yield
            return
        with standard_streams.into(folder / LOG_FILE):
            try:
                yield
            except LabError as error:
                print(f"error: {error}", file=sys.stderr)
                raise
            except Interrupted:
                if "SLURM_JOB_ID" in os.environ:  # queued again, or ended by SLURM: it has no outcome yet
                    raise
                # The process is the launcher's, and runs the next job or none; the sweep looks at the folder.
            except Exception as error:
                traceback.print_exc()
                raise LabError(f"{type(error).__name__}: {error}; {folder / LOG_FILE} has the traceback") from None

    def _fail(self, error: LabError, folder: Path) -> None:
        place = ranks.mine()
        if place.is_first:
            print(f"error: {error}", file=sys.stderr)
        elif not _is_told(folder, error):
            print(f"error in process {place.rank} of {place.world_size}: {error}", file=sys.stderr)
        self.failures.append(str(error))
        end_in_mistake(folder, self.there, error)


def _checked(composed: DictConfig) -> Config:
    config = check(composed)
    refuse_unstarted(config.trainer, ranks.mine())
    if HydraConfig.get().mode == RunMode.MULTIRUN and config.trainer.processes > 1:
        raise LabError(
            "the runs of a sweep have one device each: use trainer.devices=1 with -m, or start the runs one by one, "
            f"each as python -m lab.train OPTION=VALUE trainer.devices={config.trainer.devices}"
        )
    return config


def _is_told(folder: Path, error: LabError) -> bool:
    from lab.training.processes import first_has_told  # knows Lightning, and whoever needs it has it by now

    return first_has_told(folder, error)


def _best_val_loss(config: Config, folder: Path, words: Sequence[str]) -> float:
    # Imported here, because Lightning takes seconds: a misspelt option should be told at once.
    from lab.training.run import train

    best = train(config, folder, Path(get_original_cwd()), words).best_val_loss
    return math.inf if best is None else best


def start() -> None:
    """Hands the command line to Hydra, which calls ``Jobs.run`` for each run.

    Raises:
        LabError: if there is nothing to start, or nowhere.
        SystemExit: if a run has failed, which it has told.
    """
    register()
    resolvers.unused_folder.cache_clear()  # another run of this very process, in a notebook, has another folder
    if "${" in str(Path.cwd()):
        raise LabError(f"{Path.cwd()} has ${{ in its name, which Hydra takes for one of its own: go to another folder")
    with _together(sys.argv[1:]) as words:
        _run(words)


@contextlib.contextmanager
def _together(words: list[str]) -> Iterator[list[str]]:
    """The command line of this process: with what torchrun or srun says, and with what the first process of the run has
    settled, which is waited for."""
    place = ranks.mine()
    if place.is_alone or ranks.LAUNCHER in os.environ:
        yield words
        return
    with rendezvous.met(place) as settled:  # and within it, what is wrong is said by the first alone
        if typed_overrides.SWEEPS & set(words):
            raise LabError(f"a sweep starts its runs one by one: leave out {place.started_by}, or -m")
        yield with_words(words, settled or of_launcher(words, place))


def _run(words: list[str]) -> None:
    for_hydra = _for_sweep(words)
    if for_hydra is None:
        typed_overrides.refuse_senseless(words)
        for_hydra = _for_hydra(words)
    jobs = Jobs(words)
    plugins.register()
    sys.argv[1:] = for_hydra
    try:
        hydra.main(version_base="1.3", config_path=str(CONF_FOLDER), config_name="train")(jobs.run)()
    except OSError as error:
        in_job = any(frame.f_code is Jobs.run.__code__ for frame, _ in traceback.walk_tb(error.__traceback__))
        if in_job or not error.filename:
            raise
        # Hydra makes the folder of a run, or of a sweep, before the job, and has only a traceback to say that it can't.
        raise resolvers.cannot_be_made(Path(error.filename), error) from error
    if jobs.failures:
        sys.exit(1)  # each has been told already


def _for_sweep(words: Sequence[str]) -> list[str] | None:
    """The command line as Hydra takes it, where it goes on with a sweep; else None."""
    folder = going_on.named(words, Path.cwd())
    if folder is None:
        return None
    options, flags = typed_overrides.split_flags(words)
    return [*going_on.words(folder, options), *(flag for flag in flags if flag not in typed_overrides.SWEEPS)]


def _for_hydra(words: Sequence[str]) -> list[str]:
    """The command line as Hydra takes it: with the options of a run that goes on, and each text quoted."""
    inherited: list[str] = []
    if any(word.startswith("resume=") for word in words):
        from lab.training.resume import inherited_overrides  # knows Lightning, and takes as long

        inherited = inherited_overrides(words, Path.cwd())
    options, flags = typed_overrides.split_flags(words)
    for word in options:
        if word.startswith("hydra.sweep.dir="):
            refuse_other_sweep(typed_path(word.partition("=")[2], Path.cwd()))
    # Hydra finds its flags at either end of the options, and not between them.
    return [*inherited, *quoting.quote_literals(options), *flags]
