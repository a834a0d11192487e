"""How far a benchmark has come, and how long the rest will take."""

import sys
import time
from collections.abc import Sequence

from lab.benchmark.cases import Case
from lab.terminal import duration


class Progress:
    """How far the benchmark has come: in a terminal a line that changes, elsewhere a line for each case."""

    def __init__(self, found: Sequence[Case], n_rounds: int) -> None:
        self._guesses = [case.seconds(n_rounds) for case in found]
        self._asked = self._rounds = n_rounds
        self._done = -1
        self._began = time.monotonic()
        self._in_terminal = sys.stderr.isatty()
        self._label = ""
        number = f"{len(found)} measurement{'' if len(found) == 1 else 's'}"
        print(f"{number}, about {duration(sum(self._guesses))} on an idle machine", flush=True)

    def begin(self, case: Case) -> None:
        """Says what comes next."""
        self._done += 1
        self._rounds = case.rounds(self._asked)
        self._label = f"{self._done + 1} of {len(self._guesses)}  {case.label}"
        self._print(f"{self._label}{self._left(0.0)}", stays=not self._in_terminal)

    def show(self, rounds: int) -> None:
        """Says how many rounds of it count already."""
        if self._in_terminal:
            part = rounds / self._rounds
            self._print(f"{self._label}, round {rounds} of {self._rounds}{self._left(part)}", stays=False)

    def end(self) -> None:
        """Clears the line for the table."""
        if self._in_terminal:
            self._print("", stays=False)

    def line(self, text: str) -> None:
        """Says something that stays."""
        self._print(text, stays=True)

    def _left(self, part: float) -> str:
        guessed = sum(self._guesses[: self._done]) + part * self._guesses[self._done]
        rest = sum(self._guesses) - guessed
        # As slow, beside the guess, as it has been so far; the first figures say little of the rest.
        pace = (time.monotonic() - self._began) / guessed if guessed > 20 else 1.0
        return f", about {duration(rest * pace)} left"

    def _print(self, text: str, stays: bool) -> None:
        clear = "\r\x1b[K" if self._in_terminal else ""
        print(f"{clear}{text}", end="\n" if stays else "", file=sys.stderr, flush=True)
