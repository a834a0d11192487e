"""Runs the jobs of a sweep by a launcher of Hydra's. One sweep has one folder, settled here, in the process that was
typed: each job is told its place, for in a process of its own Hydra would make another."""

import contextlib
import gc
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from lab.config.quoting import quoted
from lab.errors import Interrupted, LabError, shown
from lab.files.labels import MOST_NAME
from lab.files.paths import shown as shown_path
from lab.files.run_files import LOG_FILE
from lab.files.safe_files import readable
from lab.runs.folder import alone_in, has_begun, has_checkpoint, refuse_used
from lab.sweeps import launching, report, stopping
from lab.sweeps.jobs import OVER, Job, Outcome, described, label, outcome

SWEEP_FILE = "multirun.yaml"
"""What Hydra's sweepers describe a sweep in."""


class Conductor:
    """The jobs of one sweep.

    Args:
        hydra_context, task_function, config: as Hydra gives them to a sweeper.
        goes_on: the jobs that are in the folder already are this sweep's own.

    Raises:
        LabError: if the launcher is not installed.
    """

    def __init__(
        self, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig, goes_on: bool
    ) -> None:
        self.context = hydra_context
        self.config = config
        self.goes_on = goes_on
        self.launcher = launching.make(hydra_context, task_function, config)
        self.kind = launching.kind(self.launcher)
        self.start_folder = Path.cwd()
        self.errors: dict[int, str] = {}
        """Why a job failed, by its number."""
        self._told = False
        self._folder: Path | None = None
        self._strange: set[int] = set()
        """Jobs whose folder somebody else has used before."""
        self._names: list[str] = []
        """The options that set the jobs apart."""

    @property
    def folder(self) -> Path:
        """That of the sweep. The first to ask has it made, with Hydra's account of the sweep in it."""
        if self._folder is None:
            self._folder = self.start_folder / str(self.config.hydra.sweep.dir)
            self._folder.mkdir(parents=True, exist_ok=True)
            with open_dict(self.config):
                self.config.hydra.sweep.dir = str(self._folder)
            OmegaConf.save(self.config, self._folder / SWEEP_FILE)
        return self._folder

    def subfolder(self, number: int, words: Sequence[str]) -> str:
        """Where a job is to lie in the folder of the sweep. Composes its options, and so finds what is wrong in them.

        Raises:
            HydraException: if they make no sense.
        """
        setup_globals()
        composed = self.context.config_loader.load_sweep_config(self.config, list(words))
        with open_dict(composed):
            composed.hydra.job.id = composed.hydra.job.num = number
        account = HydraConfig.instance()
        before = account.cfg
        try:
            account.set_config(composed)
            return str(composed.hydra.sweep.subdir)
        finally:
            account.cfg = before

    def run(self, jobs: Sequence[Job], names: Sequence[str], total: int, max_batch_size: int | None = None) -> None:
        """Runs those of ``jobs`` that are not over.

        Args:
            jobs: some of the sweep's, or all.
            names: the options that set them apart.
            total: how many there are in the sweep.
            max_batch_size: how many are launched together, at most.

        Raises:
            Interrupted: if the sweep was told to end, which is said with how to go on.
            LabError: if the launcher could start none of them.
        """
        if self.goes_on:
            stopping.wait_for_others(jobs)
        left = [job for job in jobs if not self.is_over(job)]
        self._names = list(names)
        self._strange |= {job.number for job in left if not self.goes_on and has_begun(job.folder)}
        try:
            with self._elsewhere(left, names, total):
                for batch in self._batches(left, max_batch_size):
                    if self.kind == "basic":
                        what = described(batch[0], names)
                        print(
                            f"\njob {batch[0].number} ({batch[0].number + 1} of {total}){f': {what}' if what else ''}",
                            flush=True,
                        )
                    self._run(batch)
        except (Interrupted, KeyboardInterrupt):
            print(f"\nto go on with the jobs that are left:\n  {self.again()}", flush=True)
            raise

    def is_over(self, job: Job) -> bool:
        """Need it not be run? Of a job in somebody else's folder nothing is known."""
        return self.goes_on and outcome(job).state in OVER

    def again(self) -> str:
        """The command that goes on with this sweep."""
        return f"python -m lab.train -m resume={shown_path(self.folder, self.start_folder)}"

    def became(self, job: Job) -> Outcome:
        """What has become of ``job``; ``failed`` also where it could not say so itself."""
        found = outcome(job)
        if job.number not in self.errors:
            return found
        if job.number in self._strange:
            return Outcome("failed", self.errors[job.number])
        return Outcome("failed", found.reason or self.errors[job.number], found.steps)

    def finish(self, jobs: Sequence[Job], names: Sequence[str]) -> None:
        """Says what came out of ``jobs``.

        Raises:
            LabError: if one has failed.
        """
        print("\nsweep", *report.table(jobs, names, self.became, self.start_folder), sep="\n", flush=True)
        bad = [(job, found) for job in jobs if (found := self.became(job)).state not in (*OVER, "stopped")]
        for job, found in bad:
            print(f"  {report.ended(job, names, found)}", flush=True)
        if bad:
            raise LabError(
                f"{len(bad)} of {len(jobs)} jobs failed; mend what was wrong, and `{self.again()}` runs these again"
            )

    @contextlib.contextmanager
    def _elsewhere(self, jobs: Sequence[Job], names: Sequence[str], total: int) -> Iterator[None]:
        """Around jobs that are processes of their own."""
        together = launching.at_once(self.launcher, len(jobs))
        if self.kind == "basic" or not jobs:
            yield
            return
        if not self._told:
            print(f"{total} jobs, {together} at a time, in {self.folder}; each writes its {LOG_FILE}", flush=True)
        self._told = True
        with launching.sharing_threads(self.launcher, together), report.watching(jobs, names, self.became):
            if self.kind == "slurm":  # its jobs are the cluster's, and run on
                yield
                return
            with stopping.HandedOn(self.folder, jobs):
                yield

    def _batches(self, jobs: list[Job], max_batch_size: int | None) -> Iterator[list[Job]]:
        # Of what the basic launcher returns for each job, nothing is kept, so that no memory grows with their number;
        # submitit would start all at once.
        size = launching.at_once(self.launcher, len(jobs)) if self.kind in ("basic", "local") else len(jobs)
        size = min(size, max_batch_size or size)
        counted = any("hydra:job" in word or "hydra.job" in word for job in jobs for word in job.words)
        batch: list[Job] = []
        for job in jobs:
            # Launchers count on from the first of a batch.
            if batch and (len(batch) == size or (counted and job.number != batch[-1].number + 1)):
                yield batch
                batch = []
            batch.append(job)
        if batch:
            yield batch

    def _run(self, batch: list[Job]) -> None:
        """Runs ``batch``, also where one of its processes is killed, which ends the launcher, and maybe the others."""
        try:
            self._launch(batch)
            return
        except Exception as error:
            if self.kind == "basic":
                raise
            _wait_for_children()
            if not any(has_begun(job.folder) for job in batch):
                said = shown(" ".join(str(error).split()), 300)
                raise LabError(f"the launcher could start no job ({type(error).__name__}: {said})") from error
        for job in [job for job in batch if outcome(job).state == "lost"]:
            # Which of them was killed is seen when each runs alone.
            try:
                self._launch([job])
            except Exception as error:
                _wait_for_children()
                self.errors[job.number] = f"its process was ended from outside ({type(error).__name__})"
        if rest := [job for job in batch if outcome(job).state == "not begun"]:
            self._run(rest)

    def _launch(self, batch: list[Job]) -> None:
        for job in batch:
            self.errors.pop(job.number, None)
        words = [self._words(job) for job in batch]
        for job, returned in zip(batch, self.launcher.launch(words, batch[0].number), strict=True):
            self._note(job, returned)
        gc.collect()  # a trainer and its model refer to each other in circles

    def _note(self, job: Job, returned: JobReturn) -> None:
        if returned.status is not JobStatus.FAILED:
            return
        error = returned._return_value
        if isinstance(error, LabError):
            self.errors[job.number] = str(error)
            if self.kind == "basic":
                print(f"error: {error}", file=sys.stderr, flush=True)
        else:
            self.errors[job.number] = f"{type(error).__name__}: {error}"
            traceback.print_exception(error)

    def _words(self, job: Job) -> list[str]:
        """Its options, and its place. What it has left in a folder of this sweep's own, it goes on from."""
        place = job.folder.relative_to(self.folder) if job.folder.is_relative_to(self.folder) else job.folder
        words = [*job.words, quoted("hydra.sweep.dir", str(self.folder)), quoted("hydra.sweep.subdir", str(place))]
        if (name := self.config.name) and (apart := label(job, self._names)):
            words.append(quoted("name", readable(f"{name}: {apart}")[:MOST_NAME]))
        if job.number in self._strange:
            return words
        begun, from_other = has_begun(job.folder), job.options.get("resume", "null") != "null"
        if from_other and not has_checkpoint(job.folder):
            if begun:
                with alone_in(job.folder):
                    refuse_used(job.folder, anew=True)
            return words
        # SLURM may start a job again that was new when it was sent.
        return [*words, "resume=auto"] if begun or self.kind == "slurm" else words


def _wait_for_children() -> None:
    """Waits for the jobs that submitit has started and not given up; joblib ends its own."""
    mine = psutil.Process().children(recursive=True)
    psutil.wait_procs([child for child in mine if _is_submitits(child)])


def _is_submitits(child: psutil.Process) -> bool:
    try:
        return any("submitit" in word for word in child.cmdline())
    except psutil.Error:
        return False
