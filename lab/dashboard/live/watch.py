"""Looks at all runs for all clients: once, not once for each."""

import asyncio
import contextlib
import os
from pathlib import Path

from lab.dashboard.schemas import RunSummary
from lab.dashboard.store.run_folders import JOB_FILE, NOTES_FILE, Runs
from lab.dashboard.store.tail import Line
from lab.dashboard.trainings.processes import Jobs
from lab.dashboard.trainings.summaries import summarize
from lab.files.run_files import CONFIG_FILE, EVENTS_FILE, RESULTS_FILE, STATE_FILE
from lab.runs.state import ALIVE

_LOOK_SECONDS = 0.2
_FIND_EVERY = 5
"""Looks between two searches for new folders."""
_FILES = (EVENTS_FILE, STATE_FILE, RESULTS_FILE, NOTES_FILE, JOB_FILE, CONFIG_FILE)

Stamp = tuple[tuple[int, int, int] | None, ...]


class Watch:
    """What the runs were doing at the last look, and a bell that rings when that has changed."""

    def __init__(self, runs: Runs, jobs: Jobs) -> None:
        self.runs = runs
        self.jobs = jobs
        self.seqs: dict[str, int] = {}
        """The number of the last event of each run."""
        self.summaries: dict[str, RunSummary] = {}
        self._stamps: dict[str, Stamp] = {}
        self._folders: dict[str, Path] = {}
        self._looks = 0
        self.bell = asyncio.Event()
        """Rings at the next change; take it before you look, or you may miss it."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks once, and goes on looking in the background."""
        await asyncio.to_thread(self.look)
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """Looks no longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def lines(self, run_id: str, after: int, most: int) -> list[Line]:
        """Events of a run with numbers above ``after``, up to the last look."""
        folder = self._folders.get(run_id)
        if folder is None:
            return []
        with self.runs.tails.lock:
            return self.runs.tails.get(folder).after(after, most)

    def look(self) -> bool:
        """Reads what is new; returns whether anything was."""
        if self._looks % _FIND_EVERY == 0:
            self._folders = self.runs.find()
        self._looks += 1
        changed = False
        stamps = {run_id: tuple(_stamp(path / name) for name in _FILES) for run_id, path in self._folders.items()}
        # A folder without any of these files is no run any more: it has been deleted since the last search.
        self._folders = {run_id: path for run_id, path in self._folders.items() if any(stamps[run_id])}
        for run_id in [known for known in self.summaries if known not in self._folders]:
            del self.summaries[run_id], self.seqs[run_id], self._stamps[run_id]
            changed = True
        for run_id, folder in self._folders.items():
            stamp = stamps[run_id]
            # A live run may be lost at any moment, which no file tells.
            alive = run_id in self.summaries and self.summaries[run_id].state in ALIVE
            if stamp == self._stamps.get(run_id) and not (alive and self._looks % _FIND_EVERY == 0):
                continue
            self._stamps[run_id] = stamp
            summary = summarize(self.runs, self.jobs, folder)
            if summary != self.summaries.get(run_id):
                self.summaries[run_id], self.seqs[run_id] = summary, summary.seq
                changed = True
        return changed

    async def _serve(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if await asyncio.to_thread(self.look):
                rung, self.bell = self.bell, asyncio.Event()
                rung.set()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
