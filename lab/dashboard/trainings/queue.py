"""What waits for a device and what has been started: a file for each training, in the server's own folder.

On the disk, so that the queue outlives the server; one file each, so that two servers at one root do not write over
each other's.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.dashboard import private_folder
from lab.files.safe_files import entries
from lab.runs.state import is_alive


@dataclass(frozen=True)
class Job:
    """A training, or a sweep of them, that the server was asked to start."""

    folder: Path
    """Of the run or the sweep."""
    words: list[str]
    """What lab.train is given on its command line."""
    device: str
    queued: float
    """Seconds since 1970."""
    pid: int | None = None
    """Once it has been started."""
    process_started: float | None = None
    """Seconds since 1970: a pid alone may be somebody else's by now."""
    slots: list[int] = dataclasses.field(default_factory=list)
    """Which of its devices it was given, once it has been started."""

    @property
    def takes_all(self) -> bool:
        """Does it train on several devices? How many, and which, is then its own affair."""
        return any(word.startswith("trainer.devices=") and word != "trainer.devices=1" for word in self.words)

    @property
    def is_sweep(self) -> bool:
        """Is it several runs, one after the other?"""
        return self.words[:1] == ["-m"]

    @property
    def has_process(self) -> bool:
        """Does the process that was started for it still stand behind it?"""
        known = self.pid is not None and self.process_started is not None
        return known and is_alive(self.pid, self.process_started)  # type: ignore[arg-type]

    def end(self) -> None:
        """Sends its process SIGTERM."""
        if self.has_process and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def started(self, pid: int) -> "Job":
        """The same with its process."""
        return dataclasses.replace(self, pid=pid, process_started=psutil.Process(pid).create_time())


class Queue:
    """The jobs that are not over yet, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, job: Job) -> None:
        """Adds a job, or writes down what has become of it."""
        private_folder.write_private(
            self._file(job.folder), json.dumps(dataclasses.asdict(job), default=os.fspath, indent=2)
        )

    def get(self, folder: Path) -> Job | None:
        """The job of a run or sweep folder."""
        return _read(self._file(folder))

    def drop(self, folder: Path) -> None:
        """Takes a job out."""
        self._file(folder).unlink(missing_ok=True)

    def jobs(self) -> list[Job]:
        """All of them, the first in line first."""
        found = [_read(Path(entry.path)) for entry in entries(self.folder) if entry.name.endswith(".json")]
        return sorted((job for job in found if job is not None), key=lambda job: job.queued)

    def _file(self, folder: Path) -> Path:
        return self.folder / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}.json"


def _read(path: Path) -> Job | None:
    try:
        found = json.loads(path.read_bytes())
        return Job(**found | {"folder": Path(found["folder"])})
    except (OSError, ValueError, TypeError, KeyError):  # just taken out; or of another version
        return None
