"""Probabilistic context-free grammars: how likely a text is, to the last bit, and how unsure one must be of the next.

A grammar of this kind rewrites symbols until only text is left, each time by a rule drawn by its probability. All about
it can be computed: the probability of a text (the inside algorithm: Baker 1979; of a beginning of one: Jelinek and
Lafferty 1991, https://aclanthology.org/J91-3004), the mean length of a text, and its entropy, which no model's mean
loss can fall below (Shannon 1948; for grammars, Grenander 1967).
"""

import math
import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

Rule = tuple[float, tuple[str, ...]]
"""A probability, and what a symbol is rewritten as: symbols, and texts, which are whatever is no symbol."""


@dataclass(frozen=True)
class Source:
    """What is known of the texts of a grammar in the mean."""

    bits: float
    """Entropy of a text: that of all choices that make it, its end among them."""
    characters: float
    """Length of a text."""

    @property
    def bits_per_character(self) -> float:
        """The rate of texts one after the other: by the law of large numbers, that of a long row of them."""
        return self.bits / self.characters


class Grammar:
    """A grammar by its rules.

    Each text must come about in one way only, or its entropy is less than that of its choices, which ``source`` adds
    up. No symbol may begin with itself.

    Args:
        start: the symbol that a text begins with.
        rules: how each symbol is rewritten; the probabilities of a symbol sum to 1.

    Raises:
        ValueError: if they do not.
    """

    def __init__(self, start: str, rules: Mapping[str, Sequence[Rule]]) -> None:
        self.start = start
        self.rules = rules
        for symbol, choices in rules.items():
            if abs(sum(p for p, _ in choices) - 1) > 1e-9 or min(p for p, _ in choices) < 0:
                raise ValueError(f"the probabilities of {symbol} do not sum to 1")
        self._bounds = {symbol: np.cumsum([p for p, _ in choices])[:-1].tolist() for symbol, choices in rules.items()}

    def sample(self, generator: np.random.Generator) -> str:
        """A text."""
        text: list[str] = []
        left = [self.start]
        draws = iter(_draws(generator))
        while left:
            part = left.pop()
            if part in self.rules:
                choice = bisect_right(self._bounds[part], next(draws))
                left.extend(reversed(self.rules[part][choice][1]))
            else:
                text.append(part)
        return "".join(text)

    def source(self) -> Source:
        """Entropy and length of a text, exact: sums over how often each symbol is met, which solve linear equations.

        Raises:
            ValueError: if the mean length of a text is infinite.
        """
        symbols = list(self.rules)
        place = {symbol: i for i, symbol in enumerate(symbols)}
        inner = np.zeros((len(symbols), len(symbols)))  # how many of each symbol one of another is rewritten as
        bits, characters = np.zeros(len(symbols)), np.zeros(len(symbols))
        for symbol, choices in self.rules.items():
            row = place[symbol]
            for p, parts in choices:
                bits[row] -= p * math.log2(p) if p else 0.0
                for part in parts:
                    if part in place:
                        inner[row, place[part]] += p
                    else:
                        characters[row] += p * len(part)
        if np.abs(np.linalg.eigvals(inner)).max() >= 1:
            raise ValueError("the texts of this grammar have no mean length: its rules rewrite too much by themselves")
        met = np.linalg.solve(np.eye(len(symbols)) - inner.T, np.eye(len(symbols))[place[self.start]])
        return Source(float(met @ bits), float(met @ characters))

    def information(self, text: str, whole: bool = True) -> float:
        """How many bits ``text`` tells: minus the binary logarithm of its probability, infinite for what cannot be;
        with ``whole=False``, of the probability that a text begins with it."""
        if not text and not whole:
            return 0.0
        chart = _Chart(self, text)
        with _deep(len(text)):
            p = chart.inside(self.start, 0).get(len(text), 0.0) if whole else chart.beginning(self.start, 0)
        return -math.log2(p) if p else math.inf


def _draws(generator: np.random.Generator) -> Iterator[float]:
    while True:
        yield from generator.random(256).tolist()


@contextmanager
def _deep(more: int) -> Iterator[None]:
    """Room for a row of sentences, each of which begins within the one before."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + more)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Chart:
    """What is known of the parts of one text, so that nothing is asked twice."""

    def __init__(self, grammar: Grammar, text: str) -> None:
        self.rules = grammar.rules
        self.text = text
        self._inside: dict[tuple[str, int], dict[int, float]] = {}
        self._beginning: dict[tuple[str, int], float] = {}

    def inside(self, part: str, start: int) -> dict[int, float]:
        """Where ``part`` can end if it begins at ``start``, with the probability of it."""
        if part not in self.rules:
            return {start + len(part): 1.0} if self.text.startswith(part, start) else {}
        if (found := self._inside.get((part, start))) is None:
            found = {}
            for p, parts in self.rules[part]:
                for end, q in self._after(parts, start).items():
                    found[end] = found.get(end, 0.0) + p * q
            self._inside[part, start] = found
        return found

    def _after(self, parts: Sequence[str], start: int) -> dict[int, float]:
        """As ``inside``, of several parts."""
        ends = {start: 1.0}
        for part in parts:
            further: dict[int, float] = {}
            for begin, p in ends.items():
                for end, q in self.inside(part, begin).items():
                    further[end] = further.get(end, 0.0) + p * q
            if not (ends := further):
                break
        return ends

    def beginning(self, part: str, start: int) -> float:
        """How likely ``part``, from ``start`` on, has the rest of the text in it, whatever may follow that."""
        rest = len(self.text) - start
        if part not in self.rules:
            return float(0 < rest <= len(part) and part.startswith(self.text[start:]))
        if (found := self._beginning.get((part, start))) is None:
            found = sum(
                p * before * self.beginning(one, begin)
                for p, parts in self.rules[part]
                for number, one in enumerate(parts)  # the one that the last character is in
                for begin, before in self._after(parts[:number], start).items()
                if begin < len(self.text)
            )
            self._beginning[part, start] = found
        return found
