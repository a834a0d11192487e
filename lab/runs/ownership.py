"""What in a folder a run has written: only that may a run remove or replace.

A run can be sent into a folder that somebody uses (``hydra.run.dir=.``), and people put files beside what a run has
left. Names tell nothing: ``config.yaml`` and ``csv/`` are anybody's. Each of our files is known by what is in it.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from lab.errors import FolderTaken, LabError
from lab.files.run_files import (
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    EVENTS_FILE,
    RESULTS_FILE,
    STATE_FILE,
    YARDSTICKS_FILE,
)
from lab.runs import events, newest
from lab.runs.state import read_state

LOCK_FILE = ".lock"
_CURVES = ("tensorboard", "csv")
_EVENT_FILE = re.compile(r"events\.out\.tfevents\.\d{9,11}\..+\.\d+\.\d+")


def _is_lock(path: Path) -> bool:
    return path.stat().st_size == 0


def _is_config(path: Path) -> bool:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return isinstance(found, dict) and found.keys() >= {"model", "corpus", "data", "optimizer", "trainer"}


def _is_state(path: Path) -> bool:
    if not path.read_bytes().strip(b"\0"):  # it is not synced: after a power cut it may be empty
        return True
    with contextlib.suppress(LabError):
        return bool(read_state(path.parent))
    return False


def _is_results(path: Path) -> bool:
    found = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(found, dict) and found.keys() >= {"status", "train_loss", "versions"}


def _is_yardsticks(path: Path) -> bool:
    found = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(found, dict) and found.keys() >= {"guessing_loss", "unigram_val_loss", "training_tokens"}


def _is_log(path: Path) -> bool:
    first = next(events.read(path.parent), None)
    return path.stat().st_size == 0 or (first is not None and first.keys() >= {"seq", "time", "kind", "step"})


def _is_metrics(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        header = file.readline().strip()
    columns = set(header.split(","))
    return not header or ("step" in columns and bool(columns & {"train_loss", "val_loss"}))


_OWN: dict[str, Callable[[Path], bool]] = {
    LOCK_FILE: _is_lock,
    CONFIG_FILE: _is_config,
    STATE_FILE: _is_state,
    RESULTS_FILE: _is_results,
    YARDSTICKS_FILE: _is_yardsticks,
    EVENTS_FILE: _is_log,
}
"""The files that every run has, and how each is known."""


def _knows(check: Callable[[Path], bool], path: Path) -> bool:
    """Does ``check`` know the file as a run's? What cannot even be read is none."""
    try:
        return path.is_file() and check(path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, yaml.YAMLError):
        return False


def is_own(path: Path) -> bool:
    """Has a run written ``path``, one of the files that every run has?"""
    return _knows(_OWN[path.name], path)


def _is_curve(path: Path) -> bool:
    checks: dict[str, Callable[[Path], bool]] = {"metrics.csv": _is_metrics, "hparams.yaml": _is_config}
    return _EVENT_FILE.fullmatch(path.name) is not None or (path.name in checks and _knows(checks[path.name], path))


def is_name(name: str) -> bool:
    """Is it the name of a file that every run has?"""
    return name in _OWN


def holds_run(folder: Path) -> bool:
    """Is there anything in ``folder`` that only a run can have left?"""
    return any(is_own(folder / name) for name in (STATE_FILE, EVENTS_FILE, RESULTS_FILE)) or any(
        _is_own_checkpoint(path, set()) for path in _checkpoints(folder)
    )


def strangers(folder: Path) -> list[str]:
    """What is in the way of a run in ``folder``, by name: files that it would replace and that no run has written.

    In a folder that holds no run yet, everything is, that lies where a run has its checkpoints and curves.
    """
    found = [name for name in _OWN if os.path.lexists(folder / name) and not is_own(folder / name)]
    if holds_run(folder):
        logged = {event["path"] for event in events.read(folder) if event["kind"] == "checkpoint"}
        found += [
            f"{CHECKPOINTS_FOLDER}/{path.name}" for path in _checkpoints(folder) if not _is_own_checkpoint(path, logged)
        ]
        return found
    for place in (*_CURVES, CHECKPOINTS_FOLDER):
        inside = [folder / place] if (folder / place).is_file() else _files(folder / place)
        found += [str(path.relative_to(folder)) for path in inside if not _is_curve(path)]
    return found


def refuse_other_sweep(folder: Path) -> None:
    """Keeps Hydra, which describes a sweep in the ``multirun.yaml`` of its folder, from one that it has not written.

    Raises:
        LabError: if there is one.
    """
    path = folder / "multirun.yaml"
    if os.path.lexists(path) and not _knows(lambda found: _is_config(found) and "hydra:" in found.read_text(), path):
        raise LabError(
            f"{path} is there already, and no sweep has written it: move it, or take another hydra.sweep.dir="
        )


def refuse_strangers(folder: Path) -> None:
    """Keeps a run from a folder in which something is in its way.

    Raises:
        FolderTaken: with the names.
    """
    if found := strangers(folder):
        more = f" and {len(found) - 8} more" if len(found) > 8 else ""
        raise FolderTaken(
            f"{folder} holds files that no run has written, and a run would replace or mix with them: "
            f"{', '.join(found[:8])}{more}; move them, or take another folder"
        )


def refuse_taken(target: Path, beside: Iterable[Path] = ()) -> None:
    """Keeps a command from replacing a file that no such command has written: ``target``, a JSON file that names its
    checkpoint, and what goes ``beside`` it.

    Raises:
        LabError: with the names.
    """
    if _knows(_is_figures, target):
        return
    if found := [path for path in (target, *beside) if path.is_symlink() or path.is_file()]:
        names = ", ".join(map(str, found))
        raise LabError(f"{names} is there already and left as it is: choose another to=, or remove it first")


def _is_figures(path: Path) -> bool:
    found = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(found, dict) and found.keys() >= {"checkpoint", "step"}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if not path.is_dir())


def _checkpoints(folder: Path) -> list[Path]:
    """The files with a name that a run might give to a checkpoint."""
    return [path for path in sorted((folder / CHECKPOINTS_FOLDER).glob("*")) if newest.OWN_NAME.fullmatch(path.name)]


def _is_own_checkpoint(path: Path, logged: set[str]) -> bool:
    """One that the log tells of; or, where somebody has brought checkpoints without their log, one of the lab's."""
    return f"{CHECKPOINTS_FOLDER}/{path.name}" in logged or newest.step_of(path) is not None


def clear(folder: Path, names: Iterable[str]) -> None:
    """Removes those of the files ``names`` that a run has written."""
    for name in names:
        if is_own(folder / name):
            (folder / name).unlink()


def make_room_for(loggers: Iterable[Any], folder: Path) -> None:
    """Removes the curves of an earlier part of the run in ``folder``, for loggers that write them again."""
    for place in _places(loggers):
        if place.resolve().is_relative_to(folder.resolve()) and place.is_dir():
            for path in place.iterdir():
                if _is_curve(path):
                    path.unlink()


def refuse_curves_of_others(loggers: Iterable[Any], folder: Path) -> None:
    """Keeps Lightning's CSV logger, which removes the file that it finds, from one that is not this run's.

    Raises:
        FolderTaken: with the name.
    """
    for place in _places(loggers, "CSVLogger"):
        inside = place.resolve().is_relative_to(folder.resolve())
        for path in (place / "metrics.csv", place / "hparams.yaml"):
            if os.path.lexists(path) and not (inside and _is_curve(path)):
                raise FolderTaken(
                    f"{path} is there already, and this run has not written it: move it, or take another "
                    "logger.csv.save_dir= or logger.csv.name="
                )


def _places(loggers: Iterable[Any], *classes: str) -> list[Path]:
    """The folders of the loggers that write into one."""
    known = classes or ("CSVLogger", "TensorBoardLogger")
    return [Path(logger.log_dir) for logger in loggers if type(logger).__name__ in known]
