"""All runs in a line each, kept up to date at a bounded price, however many there are.

What a run's files say is put together once, and again when one of them has changed; of runs that have ended it is
remembered on the disk, for the next server. Looking for changes takes a moment
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
from lab.dashboard.trainings import listing
from lab.dashboard.trainings.columns import Packer, Row, flat, results, varied
from lab.dashboard.trainings.listing import Answer, Question
from lab.dashboard.trainings.processes import Jobs
from lab.dashboard.trainings.remembered import Remembered, Told
from lab.dashboard.trainings.summaries import summarize
from lab.files.run_files import CHECKPOINTS_FOLDER, CONFIG_FILE, EVENTS_FILE, NOTES_FILE, RESULTS_FILE, STATE_FILE
from lab.runs.state import ALIVE

_REST = 200
"""Times as long as a search has taken, there is none."""
_CHEAP = 0.02
"""Seconds of the processor that a search may take to be done whenever somebody asks."""
_LOST_SECONDS = 1.0
"""A live run may be lost at any moment, which no file tells: so often it is asked after."""
_FILES = (EVENTS_FILE, STATE_FILE, RESULTS_FILE, NOTES_FILE, JOB_FILE, CONFIG_FILE, CHECKPOINTS_FOLDER)
_OPTIONS_AND_RESULTS = (_FILES.index(CONFIG_FILE), _FILES.index(RESULTS_FILE))
_MOST_ANSWERS = 16
"""Questions whose answers are kept, as long as no run changes."""

Stamps = tuple[Stamp | None, ...]


class Catalogue:
    """The summaries of all runs by id; safe to be asked from several threads."""

    def __init__(
        self,
        runs: Runs,
        jobs: Jobs,
        own: Path,
        clock: Callable[[], float] = time.monotonic,
        effort: Callable[[], float] = time.thread_time,
    ) -> None:
        """``own`` is the server's own folder."""
        self.runs = runs
        self.jobs = jobs
        self.version = 0
        """Another number whenever a summary is another."""
        self.shape = 0
        """Another number whenever a run has come or gone, or is in another state or called something else."""
        self._summaries: dict[str, RunSummary] = {}
        self._rows: dict[str, Row] = {}
        self._packer = Packer()
        self._remembered = Remembered(own)
        self._answers: dict[Question, Answer] = {}
        """To what was asked lately, of this version."""
        self._known_names: dict[str, bool] = {}
        self._answered = self._named = -1
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

    @property
    def read(self) -> int:
        """How many of them were read: all that an answer knows of."""
        return len(self._summaries)

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
            self._remembered.settle()

    def close(self) -> None:
        """Lets go of its file."""
        with self._lock:
            self._remembered.close()

    def now(self) -> list[RunSummary]:
        """All runs, the newest first: as they are, where that is cheap to say; else as they were at the last search,
        and without those that were not read yet."""
        with self._lock:
            if self._cost <= _CHEAP:
                self._search()
                self._read_on(float("inf"))
            return sorted(self._summaries.values(), key=lambda run: run.created, reverse=True)

    def answer(self, question: Question) -> Answer:
        """The runs that fit, in order; of a state of things as ``now`` has it."""
        with self._lock:
            self.now()
            self._begin_version()
            if question not in self._answers:
                if len(self._answers) >= _MOST_ANSWERS:
                    self._answers.pop(next(iter(self._answers)))
                self._answers[question] = listing.answer(list(self._rows.values()), self._known_names, question)
            return self._answers[question]

    def names(self) -> dict[str, bool]:
        """Every option that any run has, and whether it is not the same in all."""
        with self._lock:
            self._begin_version()
            return self._known_names

    def _begin_version(self) -> None:
        """Forgets what was found out about an earlier state of things."""
        if self._answered != self.version:
            self._answers.clear()
            self._answered = self.version
        if self._named != self.shape:
            self._known_names = varied(self._rows.values())
            self._named = self.shape

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
        if not self._stamps:
            self._remembered.keep_only(self._folders)
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
        before = self._stamps.get(run_id)
        self._stamps[run_id] = stamp  # taken before the files are read: what changes meanwhile is read again
        told = self._remembered.get(run_id, stamp) if before is None else None
        if told is not None:
            self._take_in(run_id, told)
            return
        folder, known = self._folders[run_id], self._summaries.get(run_id)
        summary = summarize(self.runs, self.jobs, folder)
        if summary != known or before is None or any(before[at] != stamp[at] for at in _OPTIONS_AND_RESULTS):
            told = Told(summary, dict(flat(self.runs.config(folder))), results(self.runs.results(folder)))
            self._take_in(run_id, told)
            self._remembered.put(run_id, stamp, told)

    def _take_in(self, run_id: str, told: Told) -> None:
        summary, known = told.summary, self._summaries.get(run_id)
        (self._alive.add if summary.state in ALIVE else self._alive.discard)(run_id)
        self._summaries[run_id] = summary
        self._rows[run_id] = Row(summary, self._packer.pack(told.options), told.results)
        self.version += 1
        if known is None or _looks(known) != _looks(summary):
            self.shape += 1

    def _forget(self, gone: Iterable[str]) -> None:
        for run_id in gone:
            self._stamps.pop(run_id, None)
            self._folders.pop(run_id, None)
            self._alive.discard(run_id)
            self._rows.pop(run_id, None)
            if self._summaries.pop(run_id, None) is not None:
                self.version += 1
                self.shape += 1


def _looks(run: RunSummary) -> tuple[object, ...]:
    """What decides where a run stands in a list that is sorted by nothing that moves."""
    return run.state, run.name, run.tags, run.note, run.created, run.model, run.checkpoints > 0


def _stamp(folder: Path) -> Stamps:
    """What changes when one of the files of a run does; nothing but None of a folder that is no run any more."""
    return tuple(stamp_of(f"{folder}{os.sep}{name}") for name in _FILES)
