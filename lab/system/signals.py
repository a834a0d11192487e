"""The signals by which a process is told to end: by a person, by a terminal that closes, by a scheduler."""

import os
import signal
import threading
from types import FrameType
from typing import Any

from lab.errors import Interrupted

_NAMES = (
    "SIGTERM",
    "SIGINT",  # Ctrl-C
    "SIGBREAK",  # Ctrl-Break, on Windows
    "SIGQUIT",  # Ctrl-\
    "SIGHUP",  # the terminal was closed, or the connection is gone
    "SIGUSR1",  # schedulers warn with it: SLURM's --signal, Grid Engine's -notify
    "SIGUSR2",
    "SIGXCPU",  # the processor time is used up
)
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
"""Those that this system has."""
_INSISTING = tuple(number for number in ENDING if number.name in ("SIGTERM", "SIGINT", "SIGBREAK", "SIGQUIT"))
"""Those that end the process at once when they come again. The others repeat themselves unasked: a shell and the system
each say that the terminal is gone, and a processor limit is told every second."""


class Signals:
    """The signals of ``ENDING`` as a wish that somebody looks at between two steps.

    As long as nobody looks (``graceful`` is False) there is nothing to finish, and the first signal ends the process by
    ``Interrupted``. What the process was started with ignoring, as ``nohup`` does with SIGHUP, it goes on ignoring.
    Python hands signals to the main thread only: in another one, this does nothing.

    Args:
        numbers: the signals, if not all.
    """

    def __init__(self, numbers: tuple[signal.Signals, ...] = ENDING) -> None:
        self.numbers = numbers
        self.received: signal.Signals | None = None
        """The first one that came."""
        self.graceful = False
        """Is somebody looking?"""
        self._process = os.getpid()
        self._seen: set[int] = set()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Signals":
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            if handler is not None:  # None: not Python's to put back
                signal.signal(number, handler)

    def install(self) -> None:
        """Puts our handlers in place; again after Lightning has put its own over them."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in self.numbers:
            # A shell lets what runs in the background ignore Ctrl-C; who sends SIGINT to a training means it.
            if number != signal.SIGINT and signal.getsignal(number) == signal.SIG_IGN:
                continue
            found = signal.signal(number, self._handle)
            self._before.setdefault(number, found)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a worker of a loader, forked from here: it ends when its parent ends it
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        if number in self._seen and number in _INSISTING:
            os._exit(128 + number)
        self._seen.add(number)
        if self.received is None:
            self.received = signal.Signals(number)
            if not self.graceful:
                raise self.interruption()

    def interruption(self) -> Interrupted:
        """What to raise for the signal that came."""
        assert self.received is not None
        return interruption(self.received)


def interruption(number: int) -> Interrupted:
    """What to raise for a signal: exit codes such as 143 (SIGTERM) and 130 (SIGINT), as shells do."""
    return Interrupted(signal.Signals(number).name, 128 + number)
