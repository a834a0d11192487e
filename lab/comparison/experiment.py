"""An experiment on the disk: a folder with a run for each side and seed, and what they are runs of."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from lab.comparison.run_curve import Run, read_run
from lab.errors import FolderTaken, LabError
from lab.files import atomic
from lab.files.run_files import RESULTS_FILE
from lab.files.safe_files import entries, read_json
from lab.runs.results import checked
from lab.runs.state import is_alive, read_state

EXPERIMENT_FILE = "experiment.json"
"""What is compared: it is compared with what is typed, and never obeyed."""
VERDICT_FILE = "verdict.json"
_CHILD_FILE = "process.json"
"""The training in progress, for whoever comes after a process that was killed."""
_LOCK_FILE = ".lock"


@dataclass(frozen=True)
class Trial:
    """One run of an experiment: a side with a seed."""

    folder: Path
    side: str
    """``baseline`` or ``idea``."""
    seed: int
    words: tuple[str, ...]
    """Its options, as ``lab.train`` takes them; the folder is among them."""

    @property
    def has_finished(self) -> bool:
        with contextlib.suppress(LabError):
            done = checked(read_json(self.folder / RESULTS_FILE)).status == "finished"
            return done and read_state(self.folder).state == "finished"
        return False


@dataclass(frozen=True)
class Experiment:
    """Two sets of options, over the same seeds."""

    folder: Path
    baseline: tuple[str, ...]
    idea: tuple[str, ...]
    common: tuple[str, ...]
    seeds: tuple[int, ...]

    def trials(self) -> list[Trial]:
        """All runs, interleaved: after each pair there is a comparison, and what changes on the machine while they run
        meets both sides alike."""
        sides = {"baseline": self.baseline, "idea": self.idea}
        found = []
        for seed in self.seeds:
            for side, own in sides.items():
                folder = self.folder / f"{side}-{seed}"
                # auto: on from a checkpoint, if there is one, and else anew in place of what was broken off.
                where = (f"seed={seed}", "resume=auto", f"hydra.run.dir={folder}")
                found.append(Trial(folder, side, seed, (*self.common, *own, *where)))
        return found

    def runs(self) -> list[list[Run]]:
        """Those of the baseline, and those of the idea, that have finished."""
        done = [trial for trial in self.trials() if trial.has_finished]
        return [[read_run(trial.folder) for trial in done if trial.side == side] for side in ("baseline", "idea")]


@contextlib.contextmanager
def alone_with(experiment: Experiment) -> Iterator[None]:
    """Makes the folder that of the experiment, and holds it for this process until the block ends.

    Raises:
        FolderTaken: if another process has it, or something else lies there.
        LabError: if it is that of an experiment with other options.
    """
    folder = experiment.folder
    told = folder / EXPERIMENT_FILE
    strangers = [entry.name for entry in entries(folder) if entry.name != _LOCK_FILE]
    if strangers and not told.is_file():
        raise FolderTaken(f"{folder} holds other things ({strangers[0]}): take another folder=")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK_FILE, timeout=0):
            _refuse_other(told, experiment)
            if not told.exists():
                atomic.write_json(told, _described(experiment))
            yield
    except Timeout as error:
        raise FolderTaken(f"another process is at work on the experiment in {folder}: wait for it") from error


def _described(experiment: Experiment) -> dict[str, list[str]]:
    return {side: list(getattr(experiment, side)) for side in ("baseline", "idea", "common")}


def _refuse_other(told: Path, experiment: Experiment) -> None:
    if not told.exists():
        return
    before, now = read_json(told), _described(experiment)
    for name, words in now.items():
        if before.get(name) != words:
            earlier = before.get(name)
            said = " ".join(map(str, earlier)) if isinstance(earlier, list) else "something that cannot be read"
            named = "the common options are" if name == "common" else f"{name} is"
            raise LabError(
                f"{experiment.folder} is another experiment: there, {named} {json.dumps(said)}, and here "
                f"{json.dumps(' '.join(words))}; take another folder="
            )


def note_child(experiment: Experiment, pid: int) -> None:
    """Writes down which training is in progress."""
    with contextlib.suppress(psutil.Error):
        told = {"pid": pid, "started": psutil.Process(pid).create_time()}
        atomic.write_json(experiment.folder / _CHILD_FILE, told)


def forget_child(experiment: Experiment) -> None:
    """Says that none is."""
    (experiment.folder / _CHILD_FILE).unlink(missing_ok=True)


def has_orphan(experiment: Experiment) -> bool:
    """Is a training still at work that a process has started which was killed since? It holds its folder."""
    told = read_json(experiment.folder / _CHILD_FILE)
    pid, started = told.get("pid"), told.get("started")
    if type(pid) is not int or not 0 < pid < 2**31 or not isinstance(started, int | float) or pid == os.getpid():
        return False
    return is_alive(pid, float(started))
