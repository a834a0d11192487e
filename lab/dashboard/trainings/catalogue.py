"""All runs in a line each, kept up to date at a bounded price, however many there are.

What a run's files say is put together once, and again when one of them has changed. Looking for changes takes a moment
for each run, so that it is done the less often the longer it takes: it never costs more than a two-hundredth of a core.
Runs that a process stands behind are few, and are looked at each time.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.dashboard.schemas import RunSummary
from lab.dashboard.store.run_folders import JOB_FILE, Runs, Stamp, stamp_of
from lab.dashboard.trainings.processes import Jobs
from lab.dashboard.trainings.summaries import summarize
from lab.files.run_files import CONFIG_FILE, EVENTS_FILE, NOTES_FILE, RESULTS_FILE, STATE_FILE
from lab.runs.state import ALIVE

_REST = 200
"""Times as long as a search has taken, there is none."""
_CHEAP = 0.02
"""Seconds of the processor that a search may take to be done whenever somebody asks."""
_LOST_SECONDS = 1.0
"""A live run may be lost at any moment, which no file tells: so often it is asked after."""
_FILES = (EVENTS_FILE, STATE_FILE, RESULTS_FILE, NOTES_FILE, JOB_FILE, CONFIG_FILE)

Stamps = tuple[Stamp | None, ...]


class Catalogue:
    """The summaries of all runs by id; safe to be asked from several threads."""

    def __init__(
        self,
        runs: Runs,
        jobs: Jobs,
        clock: Callable[[], float] = time.monotonic,
        effort: Callable[[], float] = time.thread_time,
    ) -> None:
        self.runs = runs
        self.jobs = jobs
        self.version = 0
        """Another number whenever a summary is another."""
        self._summaries: dict[str, RunSummary] = {}
        self._clock = clock
        self._effort = effort  # what others make the machine do is no cost of ours
        self._folders: dict[str, Path] = {}
        self._stamps: dict[str, Stamps] = {}
        self._alive: set[str] = set()
        self._unread: list[str] = []
        """The newest at the end."""
        self._cost = 0.0
        self._next_search = self._next_question = -float("inf")
        self._lock = threading.RLock()

    @property
    def total(self) -> int:
        """How many runs there are, read or not."""
        return len(self._folders)

    def known(self) -> dict[str, RunSummary]:
        """The summaries by id, as they were at the last look."""
        with self._lock:
            return dict(self._summaries)

    def folder(self, run_id: str) -> Path | None:
        """Where a run lies, as far as is known."""
        return self._folders.get(run_id)

    def look(self, seconds: float = 0.1) -> None:
        """Finds out what is new, as far as it is due; so many seconds of it go into runs that were not read yet."""
        with self._lock:
            if self._clock() >= self._next_search:
                self._search()
            else:
                self._follow()
            self._read_on(seconds)

    def now(self) -> list[RunSummary]:
        """All runs, the newest first: as they are, where that is cheap to say; else as they were at the last search,
        and without those that were not read yet."""
        with self._lock:
            if self._cost <= _CHEAP:
                self._search()
                self._read_on(float("inf"))
            return sorted(self._summaries.values(), key=lambda run: run.created, reverse=True)

    def refresh(self, folder: Path) -> RunSummary:
        """Reads a run again that was just changed by this server."""
        with self._lock:
            run_id = self.runs.id_of(folder)
            self._folders[run_id] = folder
            self._read(run_id, _stamp(folder))
            return self._summaries[run_id]

    def _search(self) -> None:
        """Looks at every run there is."""
        began = self._effort()
        self._folders = dict(self.runs.find())
        self._forget([known for known in self._stamps if known not in self._folders])
        stamps = {run_id: _stamp(folder) for run_id, folder in self._folders.items()}
        unread = [run_id for run_id in stamps if run_id not in self._stamps]
        self._unread = sorted(unread, key=lambda run_id: max((s[0] for s in stamps[run_id] if s), default=0))
        same = {run_id: stamps[run_id] for run_id in self._stamps}
        self._cost = self._effort() - began
        self._next_search = self._clock() + _REST * self._cost
        self._take(same)

    def _follow(self) -> None:
        """Looks at the runs that a process stands behind."""
        self._take({run_id: _stamp(self._folders[run_id]) for run_id in self._alive})

    def _take(self, stamps: dict[str, Stamps]) -> None:
        """Reads the runs again whose files have changed, and now and then those that may be lost."""
        ask = self._clock() >= self._next_question
        if ask:
            self._next_question = self._clock() + _LOST_SECONDS
        self._forget([run_id for run_id, stamp in stamps.items() if not any(stamp)])
        for run_id, stamp in stamps.items():
            if run_id in self._stamps and (stamp != self._stamps[run_id] or (ask and run_id in self._alive)):
                self._read(run_id, stamp)

    def _read_on(self, seconds: float) -> None:
        """Reads runs that were not read yet, for so long."""
        end = self._clock() + seconds
        while self._unread and self._clock() < end:
            run_id = self._unread.pop()
            if run_id in self._folders and run_id not in self._stamps:
                self._read(run_id, _stamp(self._folders[run_id]))

    def _read(self, run_id: str, stamp: Stamps) -> None:
        self._stamps[run_id] = stamp  # taken before the files are read: what changes meanwhile is read again
        summary = summarize(self.runs, self.jobs, self._folders[run_id])
        (self._alive.add if summary.state in ALIVE else self._alive.discard)(run_id)
        if summary != self._summaries.get(run_id):
            self._summaries[run_id] = summary
            self.version += 1

    def _forget(self, gone: Iterable[str]) -> None:
        for run_id in gone:
            self._stamps.pop(run_id, None)
            self._folders.pop(run_id, None)
            self._alive.discard(run_id)
            if self._summaries.pop(run_id, None) is not None:
                self.version += 1


def _stamp(folder: Path) -> Stamps:
    """What changes when one of the files of a run does; nothing but None of a folder that is no run any more."""
    return tuple(stamp_of(f"{folder}{os.sep}{name}") for name in _FILES)
