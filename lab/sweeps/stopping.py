"""How a sweep ends before its time when its jobs are processes of their own: each is told, and waited for."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from lab.errors import Interrupted, LabError
from lab.runs.state import ALIVE, read_state
from lab.sweeps.jobs import Job
from lab.system.signals import Signals

_STOP_FILE = ".stop"
_POLL_SECONDS = 0.1


class HandedOn(Signals):
    """Within it, a signal that ends this process first ends the jobs that its children run, in good order.

    Args:
        folder: that of the sweep.
        jobs: those that may be running.
    """

    def __init__(self, folder: Path, jobs: Sequence[Job]) -> None:
        super().__init__()
        self.folder = folder
        self.jobs = jobs

    def __enter__(self) -> "HandedOn":
        (self.folder / _STOP_FILE).unlink(missing_ok=True)
        super().__enter__()
        return self

    def __exit__(self, *about: object) -> None:
        super().__exit__(*about)
        (self.folder / _STOP_FILE).unlink(missing_ok=True)

    def interruption(self) -> Interrupted:
        """As for other signals; but first all jobs have ended."""
        # Else a worker that is told to end takes up the next job.
        with contextlib.suppress(OSError):
            (self.folder / _STOP_FILE).touch()
        told: set[int] = set()
        while running := self._running():
            for pid in running - told:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)
            told |= running
            time.sleep(_POLL_SECONDS)
        return super().interruption()

    def _running(self) -> set[int]:
        """The processes that train, as far as they are this one's children: what a folder says alone is not obeyed."""
        ours = {child.pid for child in psutil.Process().children(recursive=True)}
        return {pid for pid in map(_process, self.jobs) if pid in ours}


def _process(job: Job) -> int:
    """The process that trains it; 0 for none."""
    with contextlib.suppress(LabError):
        told = read_state(job.folder)
        return told.pid or 0 if told.state in ALIVE else 0
    return 0


def is_told(folder: Path) -> bool:
    """Has the sweep in ``folder`` been told to end?"""
    return (folder / _STOP_FILE).exists()


def wait_for_others(jobs: Sequence[Job]) -> None:
    """Waits for the trainings that an earlier process has left at work: each holds its folder."""
    if any(map(_process, jobs)):
        print("waiting for the jobs that an earlier process has left at work", flush=True)
        while any(map(_process, jobs)):
            time.sleep(_POLL_SECONDS)
