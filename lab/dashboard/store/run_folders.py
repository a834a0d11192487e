"""Run folders, found on the disk; whoever started them."""

import contextlib
import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.dashboard.http_errors import ApiError
from lab.dashboard.settings import Settings
from lab.dashboard.store.tail import Tails
from lab.errors import LabError
from lab.files.run_files import CHECKPOINTS_FOLDER, CONFIG_FILE, EVENTS_FILE, RESULTS_FILE, STATE_FILE
from lab.files.safe_files import entries, read_json, read_object, readable
from lab.runs import discovery, newest, shards
from lab.runs.folder import run_folder_of
from lab.runs.state import ALIVE, RunState, read_state

JOB_FILE = "job.json"
"""What a server has started a run with, in the run's folder."""
SWEEP_FILE = "sweep.json"
"""The same for a sweep, in the folder that holds the folders of its runs."""
_MARKS = (*discovery.MARKS, JOB_FILE)
_MOST_CONFIGS = 512
"""Options of runs that are kept at hand: some 20 KB each."""


Stamp = tuple[int, int, int]
"""When a file was last changed, in nanoseconds; its size; which it is."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file of a run."""

    id: str
    path: Path
    name: str
    step: int | None
    """As its name says; of best.ckpt and last.ckpt, as the run's log says."""
    size: int
    """Bytes."""
    modified: float
    """Seconds since 1970."""
    file: tuple[int, int] = (0, 0)
    """Which file it is, of which device: one may have several names, and takes the room of one."""

    @property
    def weights_only(self) -> bool:
        """Is there nothing in it to train on from, by its name? The untrained weights have nothing else."""
        return newest.SNAPSHOT.fullmatch(self.path.name) is not None and self.step != 0


class Runs:
    """The runs below ``root``/outputs and ``root``/multirun.

    Runs and checkpoints go by ids that say nothing of where they lie, so that no request can name a path. Symbolic
    links are not followed: what is shown is what is really there.
    """

    def __init__(self, settings: Settings) -> None:
        self.root = settings.root
        self.tails = Tails()
        self._folders: dict[str, Path] = {}
        self._opened: dict[str, int] = {}
        self._ids: dict[Path, str] = {}
        self._configs: dict[Path, tuple[int, dict[str, Any]]] = {}
        self._ended: dict[Path, tuple[Stamp, RunState]] = {}
        self._checkpoints: dict[Path, tuple[tuple[Stamp | None, Stamp | None], list[Checkpoint]]] = {}
        self._lock = threading.Lock()

    def find(self) -> dict[str, Path]:
        """All run folders by id."""
        found = {}
        for kind in ("outputs", "multirun"):
            for folder in discovery.runs_below(self.base(kind), _MARKS, known=self._opened):
                found[self.id_of(folder)] = folder
        with self._lock:
            self._folders = found
        return found

    def base(self, kind: str) -> Path:
        """The folder of all runs (``outputs``) or sweeps (``multirun``)."""
        # The two themselves may be links: to another disk, by the owner's choice.
        return (self.root / kind).resolve()

    def sweeps(self) -> dict[str, Path]:
        """The folders of the sweeps that a server was asked to start, by id."""
        days = [Path(day.path) for day in entries(self.base("multirun"))]
        folders = [Path(entry.path) for day in days for entry in entries(day)]
        found = [f for f in folders if any(e.name == SWEEP_FILE and not e.is_symlink() for e in entries(f))]
        return {self.id_of(folder): folder for folder in found}

    def place(self, folder: Path) -> str:
        """Where a folder lies, as seen from the root."""
        return readable(str(folder.relative_to(self.root) if folder.is_relative_to(self.root) else folder))

    def id_of(self, path: Path) -> str:
        """The id of a folder or file below the root: the same for as long as it stays where it is."""
        if path not in self._ids:
            place = path.relative_to(self.root) if path.is_relative_to(self.root) else path
            self._ids[path] = hashlib.sha256(str(place).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self._ids[path]

    def folder(self, run_id: str) -> Path:
        """The folder of a run.

        Raises:
            ApiError: if there is none.
        """
        folder = self._folders.get(run_id)
        if folder is None or not discovery.is_run(folder, _MARKS):
            folder = self.find().get(run_id)
        if folder is None:
            raise ApiError(404, f"there is no run {run_id[:32]}", "id")
        return folder

    def state(self, folder: Path) -> RunState:
        """What a run says it is doing; ``lost`` if it says nothing at all."""
        stamp = stamp_of(folder / STATE_FILE)
        known = self._ended.get(folder)
        if known is not None and stamp == known[0]:
            return known[1]
        try:
            told = read_state(folder)
        except LabError:
            return RunState("lost", reason="it has left no word of what it was doing")
        if stamp is not None and told.state not in (*ALIVE, "lost"):
            self._ended[folder] = stamp, told  # says no other as long as it stands there
        return told

    def config(self, folder: Path) -> dict[str, Any]:
        """The resolved options of a run; empty before it has written them."""
        path = folder / CONFIG_FILE
        try:
            stamp = path.lstat().st_mtime_ns
        except OSError:
            return {}
        known = self._configs.get(folder)
        if known is None or known[0] != stamp:
            known = self._configs[folder] = (stamp, read_object(path, _yaml))
            if len(self._configs) > _MOST_CONFIGS:
                self._configs.pop(next(iter(self._configs)), None)
        return known[1]

    def results(self, folder: Path) -> dict[str, Any]:
        """What came out of a run, as it stands in its file; empty before its end."""
        return read_json(folder / RESULTS_FILE)

    def checkpoints(self, run_id: str) -> list[Checkpoint]:
        """The checkpoints of a run, by step."""
        return self.checkpoints_in(self.folder(run_id))

    def checkpoints_in(self, folder: Path) -> list[Checkpoint]:
        """The checkpoints of the run in a folder, by step."""
        # The folder changes with a file that comes or goes; the log with one that is written in the place of another.
        stamps = stamp_of(folder / CHECKPOINTS_FOLDER), stamp_of(folder / EVENTS_FILE)
        known = self._checkpoints.get(folder)
        if known is None or known[0] != stamps:
            known = self._checkpoints[folder] = stamps, self._read_checkpoints(folder)
        return list(known[1])

    def _read_checkpoints(self, folder: Path) -> list[Checkpoint]:
        if not entries(folder / CHECKPOINTS_FOLDER):
            return []
        logged: dict[str, int] = {}
        with self.tails.lock:
            for event in self.tails.get(folder).others:
                if event["kind"] == "checkpoint":
                    logged[Path(event["path"]).name] = event["step"]
        found = []
        for entry in entries(folder / CHECKPOINTS_FOLDER):
            if _is_checkpoint(entry):
                path, status = Path(entry.path), entry.stat(follow_symlinks=False)
                digits = path.stem.rpartition("-")[2]
                counted = digits.isdecimal() and len(digits) < 16
                step = int(digits) if counted else logged.get(path.name)
                name = readable(path.name)
                size = status.st_size + shards.n_bytes(path.parent, step)
                file = status.st_dev, status.st_ino
                found.append(Checkpoint(self.id_of(path), path, name, step, size, status.st_mtime, file))
        return sorted(found, key=lambda c: (c.step if c.step is not None else -1, c.modified, c.name))

    def remove_checkpoint(self, checkpoint_id: str) -> None:
        """Deletes a checkpoint; its shards, too, unless another one has the same.

        Raises:
            ApiError: if there is none.
        """
        path = self.checkpoint(checkpoint_id)
        beside = self.checkpoints(self.id_of(run_folder_of(path, follow_links=False)))
        step = next((found.step for found in beside if found.id == checkpoint_id), None)
        path.unlink(missing_ok=True)
        if all(found.id == checkpoint_id or found.step not in (step, None) for found in beside):
            shards.remove(path.parent, step)

    def checkpoint(self, checkpoint_id: str) -> Path:
        """The file of a checkpoint.

        Raises:
            ApiError: if there is none.
        """
        for run_id in list(self._folders) or list(self.find()):
            with contextlib.suppress(ApiError):
                for found in self.checkpoints(run_id):
                    if found.id == checkpoint_id:
                        return found.path
        for run_id in self.find():  # a run that has come since
            for found in self.checkpoints(run_id):
                if found.id == checkpoint_id:
                    return found.path
        raise ApiError(404, f"there is no checkpoint {checkpoint_id[:32]}", "checkpoint")


def _is_checkpoint(entry: "os.DirEntry[str]") -> bool:
    return entry.name.endswith(".ckpt") and not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)


def stamp_of(path: str | Path) -> Stamp | None:
    """What changes when a file does; None if there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _yaml(content: bytes) -> Any:
    # The C loader where there is one: a hundred runs are a hundred files.
    return yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
