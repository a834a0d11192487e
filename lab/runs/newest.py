"""Which run, and which checkpoint of it, is the newest: by what they say of themselves.

The times of files tell when somebody last copied or touched them, and ``cp -r`` gives them in any order.
"""

import math
import re
from collections.abc import Iterable
from pathlib import Path

import torch

from lab.errors import LabError, is_text
from lab.runs import events
from lab.runs.state import read_state

OWN_NAME = re.compile(r"(?:best|last|(?:step|saved|weights)-(\d{8,}))\.ckpt")
"""What a run calls its checkpoints."""
PERIODIC = re.compile(r"step-(\d{8,})\.ckpt")
SNAPSHOT = re.compile(r"weights-(\d{8,})\.ckpt")
"""The weights alone, to be looked at."""


def runs_first(folders: Iterable[Path]) -> list[Path]:
    """Run folders, the one that was heard of last in front."""
    return sorted(folders, key=lambda folder: (last_heard(folder), str(folder)), reverse=True)


def last_heard(folder: Path) -> float:
    """When a run was at work last, in seconds since 1970: by its state, else by its log; 0 if neither tells."""
    try:
        told = read_state(folder).updated
    except LabError:
        told = max((event["time"] for event in events.read(folder) if _is_time(event.get("time"))), default=None)
    return float(told) if told is not None and _is_time(told) else 0.0


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def step_of(path: Path) -> int | None:
    """The step that a checkpoint was taken at, without its tensors; None for a file that is none of the lab's.

    It tells the order only: who goes on from the file has to look whether it is whole.
    """
    try:  # as lab.runs.checkpoint.load does, which says why
        # torch maps only files whose name is UTF-8 to it: not one of other bytes, and not "λ" in an ASCII locale.
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=is_text(str(path)))
        step = found["global_step"] if "lab" in found else None
    except Exception:
        return None
    return step if isinstance(step, int) else None


def checkpoints_first(files: Iterable[Path], run: Path) -> list[Path]:
    """The checkpoints of a run, the newest in front; without files that are none.

    A run that went on from an earlier one of its checkpoints has left later ones behind, of a branch that it gave up;
    and somebody may have put another run's file beside them. These come last, behind the weights alone of the run's
    own moments.
    """
    given_up = _given_up(run)

    def newness(file: Path) -> tuple[bool, bool, int, bool, str]:
        found = OWN_NAME.fullmatch(file.name)
        own = found is not None and (found[1] is None or int(found[1]) == steps[file])
        whole = SNAPSHOT.fullmatch(file.name) is None
        return own and file.name not in given_up, whole, steps[file], file.name == "last.ckpt", file.name

    steps = _steps(files)
    return sorted(steps, key=newness, reverse=True)


def _steps(files: Iterable[Path]) -> dict[Path, int]:
    """Their steps, of those that have one. A file of several names, as ``best.ckpt`` and ``last.ckpt`` often are, is
    read once."""
    known: dict[object, int | None] = {}
    found: dict[Path, int] = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        key = (status.st_dev, status.st_ino) if status.st_nlink > 1 else file
        if key not in known:
            known[key] = step_of(file)
        step = known[key]
        if step is not None:
            found[file] = step
    return found


def _given_up(run: Path) -> set[str]:
    """The names of the checkpoints that the run in ``run`` wrote before it went on from an earlier step."""
    written: dict[str, int] = {}
    lost: set[str] = set()
    for event in events.read(run):
        if event["kind"] == "continued":
            lost |= {name for name, at in written.items() if at > event["step"]}
        elif event["kind"] == "checkpoint":
            name = event["path"].rpartition("/")[2]
            written[name] = event["step"]
            lost.discard(name)
    return lost
