"""Looks at all runs for all clients: once, not once for each."""

import asyncio
import contextlib

from lab.dashboard.schemas import RunSummary
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.store.tail import Line
from lab.dashboard.trainings.catalogue import Catalogue

_LOOK_SECONDS = 0.2
_READING_SECONDS = 0.03
"""Between looks while there are runs to be read for the first time: time for others to be answered in."""
_FIRST_SECONDS = 1.5
"""Of reading before anybody is answered: enough for some hundred runs."""


class Watch:
    """What the runs were doing at the last look, and a bell that rings when that has changed."""

    def __init__(self, runs: Runs, catalogue: Catalogue) -> None:
        self.runs = runs
        self.catalogue = catalogue
        self.seqs: dict[str, int] = {}
        """The number of the last event of each run."""
        self.summaries: dict[str, RunSummary] = {}
        self.shape = 0
        """Another number whenever the list of runs is another: see ``Catalogue.shape``."""
        self._version = -1
        self.bell = asyncio.Event()
        """Rings at the next change; take it before you look, or you may miss it."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks once, and goes on looking in the background."""
        await asyncio.to_thread(self.catalogue.look, _FIRST_SECONDS)
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
        folder = self.catalogue.folder(run_id)
        if folder is None:
            return []
        with self.runs.tails.lock:
            return self.runs.tails.get(folder).after(after, most)

    def look(self) -> bool:
        """Reads what is new; returns whether anything was."""
        self.catalogue.look()
        if self.catalogue.version == self._version:  # a request may have looked in between
            return False
        self._version, self.summaries = self.catalogue.version, self.catalogue.known()
        self.shape = self.catalogue.shape
        self.seqs = {run_id: summary.seq for run_id, summary in self.summaries.items()}
        return True

    async def _serve(self) -> None:
        while True:
            reading = self.catalogue.read < self.catalogue.total
            await asyncio.sleep(_READING_SECONDS if reading else _LOOK_SECONDS)
            if await asyncio.to_thread(self.look):
                rung, self.bell = self.bell, asyncio.Event()
                rung.set()
