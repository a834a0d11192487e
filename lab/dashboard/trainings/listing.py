"""Which runs a list shows, and in which order: by words, state, option or figure; over thousands, in a moment."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lab.dashboard.trainings.columns import FIGURES, RESULTS, Cell, Row, written
from lab.runs.state import ALIVE, State

StateFilter = Literal["all", "alive", "finished", "stopped", "failed"]
STATES: dict[StateFilter, tuple[State, ...]] = {
    "alive": tuple(ALIVE),
    "finished": ("finished",),
    "stopped": ("stopped",),
    "failed": ("failed", "lost"),
}
_CONDITION = re.compile(r"([A-Za-z_][\w.]*)(>=|<=|!=|=|>|<)(.*)", re.DOTALL)
_MOST_WORDS = 24
"""Of one question."""


@dataclass(frozen=True)
class Condition:
    """``optimizer.lr>=1e-3``; with ``=`` and ``!=``, several values may be given: ``model.n_layers=2,4``."""

    name: str
    sign: str
    values: tuple[str, ...]

    def holds(self, cell: Cell) -> bool:
        """Does it hold for a run with ``cell`` in that column? A run that has nothing there fits no comparison."""
        if self.sign in ("=", "!="):
            return any(_equal(cell, value) for value in self.values) == (self.sign == "=")
        value, bound = _number(cell), _number(self.values[0])
        if value is None or bound is None:
            return False
        return {">": value > bound, "<": value < bound, ">=": value >= bound, "<=": value <= bound}[self.sign]


@dataclass(frozen=True)
class Question:
    """What somebody wants to see."""

    text: str = ""
    """Words that name, folder, state, corpus or tags hold, and conditions."""
    state: StateFilter = "all"
    sweep: str | None = None
    sort: str = "created"
    descending: bool = True


@dataclass(frozen=True)
class Answer:
    """The rows that fit, in order."""

    rows: list[Row]
    unknown: list[str]
    """Names in the conditions that mean no column, or more than one: nothing fits them."""


def answer(rows: Sequence[Row], names: Iterable[str], question: Question) -> Answer:
    """Those of ``rows`` that fit, in order. A run without a value comes last, whichever way they are sorted; of equals,
    the newest comes first.

    Args:
        rows: all runs.
        names: every column that there is.
        question: what is wanted.
    """
    words, conditions = parse(question.text)
    meant = meanings(names)
    unknown = [c.name for c in conditions if c.name not in meant]
    conditions = [Condition(meant.get(c.name, c.name), c.sign, c.values) for c in conditions]
    if unknown:
        return Answer([], unknown)
    found = [row for row in rows if _fits(row, words, question) and all(c.holds(row.cell(c.name)) for c in conditions)]
    newest = sorted(found, key=lambda row: (-row.summary.created, row.summary.id))
    sort = meant.get(question.sort, question.sort)
    if sort == "created" and question.descending:
        return Answer(newest, [])
    cells = {row.summary.id: _sortable(row.cell(sort)) for row in newest}
    known = [(cell, row) for row in newest if (cell := cells[row.summary.id]) is not None]
    known.sort(key=lambda one: one[0], reverse=question.descending)
    known.sort(key=lambda one: one[0][0])  # numbers come before texts either way
    return Answer([row for _, row in known] + [row for row in newest if cells[row.summary.id] is None], [])


def parse(text: str) -> tuple[list[str], list[Condition]]:
    """Words and conditions of what was typed into the box. Blanks around a sign are no matter."""
    joined = re.sub(r"\s*(>=|<=|!=|=|>|<)\s*", r"\1", text)
    words, conditions = [], []
    for word in joined.split()[:_MOST_WORDS]:
        if (found := _CONDITION.fullmatch(word)) and found[3]:
            values = tuple(found[3].split(",")) if found[2] in ("=", "!=") else (found[3],)
            conditions.append(Condition(found[1], found[2], values))
        else:
            words.append(word.lower())
    return words, conditions


def meanings(names: Iterable[str]) -> dict[str, str]:
    """What may be typed for a column: its full name, or the last part of it where only one has that."""
    every = [*FIGURES, *RESULTS, *names]
    ends: dict[str, set[str]] = {}
    for name in every:
        ends.setdefault(name.rpartition(".")[2], set()).add(name)
    return {end: next(iter(full)) for end, full in ends.items() if len(full) == 1} | {name: name for name in every}


def _fits(row: Row, words: list[str], question: Question) -> bool:
    run = row.summary
    if question.state != "all" and run.state not in STATES[question.state]:
        return False
    if question.sweep is not None and run.sweep != question.sweep:
        return False
    if not words:
        return True
    text = " ".join((run.name, run.path, run.state, run.corpus or "", *run.tags)).lower()
    return all(word in text for word in words)


def _number(value: Cell) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _equal(cell: Cell, typed: str) -> bool:
    one, other = _number(cell), _number(typed)
    if one is not None and other is not None:
        return one == other
    return written(cell).lower() == typed.lower()


def _sortable(cell: Cell) -> tuple[bool, float | str] | None:
    """Numbers among numbers, and texts among texts."""
    if isinstance(cell, str):
        return True, cell.lower()
    return None if cell is None or not math.isfinite(cell) else (False, float(cell))
