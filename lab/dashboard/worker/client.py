"""The server's side of the process that runs models (see ``process.py``)."""

import asyncio
import itertools
import multiprocessing
import threading
import time
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from lab.dashboard.http_errors import ApiError
from lab.dashboard.settings import Settings
from lab.dashboard.worker import process

_PATIENCE = 20.0
"""Seconds that a question waits for others to be answered."""

_Queue = asyncio.Queue[tuple[str, Any]]


class Inference:
    """Asks the worker process, and starts another one when it has died.

    Used from one event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._numbers = itertools.count()
        self._waiting: dict[int, _Queue] = {}
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._sending = threading.Lock()

    @property
    def alive(self) -> bool:
        """Is the process there?"""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Starts the process, unless it is there."""
        if self.alive:
            return
        # Spawned, not forked: the server has threads, and what they hold would be held in the fork for ever.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=process.serve, args=(theirs,), name="inference", daemon=True)
        self._process.start()
        theirs.close()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._receive, args=(self._pipe, loop), name="inference", daemon=True).start()

    def stop(self) -> None:
        """Ends the process."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.terminate()
            self._process.join(5)

    async def ask(self, what: str, path: Path, **arguments: Any) -> Any:
        """One answer. Where there are too many questions already, this one waits for a moment: a page asks several, and
        whoever types has gone on before the last ones are answered.

        Raises:
            ApiError: if the question makes no sense, there are still too many, or the process has died over it.
        """
        end = time.monotonic() + _PATIENCE
        while len(self._waiting) >= self.settings.max_generations and time.monotonic() < end:
            await asyncio.sleep(0.05)
        async for value in self.stream(what, path, **arguments):
            return value
        raise ApiError(503, "the process that runs models gave no answer: try again")

    async def stream(self, what: str, path: Path, **arguments: Any) -> AsyncIterator[Any]:
        """Answers as they come. Whoever stops listening stops the work.

        Raises:
            ApiError: as ``ask``.
        """
        if len(self._waiting) >= self.settings.max_generations:
            raise ApiError(429, f"{len(self._waiting)} requests wait for the model already: try again in a moment")
        self.start()
        number = next(self._numbers)
        queue: _Queue = asyncio.Queue()
        self._waiting[number] = queue
        ended = False
        try:
            await self._send((number, what, str(path), arguments))
            while True:
                kind, value = await queue.get()
                if kind == "item":
                    yield value
                    continue
                ended = True
                if kind == "error":
                    raise ApiError(422, value)
                if kind == "dead":
                    raise ApiError(
                        503, "the process that runs models has died over this and is started anew: try again"
                    )
                return
        finally:
            del self._waiting[number]
            if not ended:
                await asyncio.shield(self._send((number, "cancel")))

    async def _send(self, message: tuple[Any, ...]) -> None:
        # In a thread: a pipe that is full would hold up the whole server.
        def send() -> None:
            with self._sending:
                if self._pipe is not None:
                    self._pipe.send(message)

        try:
            await asyncio.to_thread(send)
        except OSError:
            if message[1] != "cancel":
                raise ApiError(503, "the process that runs models is gone: try again") from None

    def _receive(self, pipe: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own: hands answers on until the pipe ends."""
        try:
            while True:
                number, kind, value = pipe.recv()
                loop.call_soon_threadsafe(self._deliver, number, kind, value)
        except (EOFError, OSError, RuntimeError):
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._died, pipe)

    def _deliver(self, number: int, kind: str, value: Any) -> None:
        if number in self._waiting:
            self._waiting[number].put_nowait((kind, value))

    def _died(self, pipe: Connection) -> None:
        if pipe is self._pipe:
            if self._process is not None:
                self._process.join(1)  # its end of the pipe is closed: it is dead, and only has to be put to rest
            self._process = None
            for queue in self._waiting.values():
                queue.put_nowait(("dead", None))
