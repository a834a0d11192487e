"""Runs in groups that have an option in common: how many, and the mean and the spread of a figure over them."""

import math
import statistics
from collections.abc import Sequence

from lab.comparison.sides import is_telling
from lab.dashboard.schemas import RunGroup
from lab.dashboard.trainings.columns import Cell, Row, written

EVERY_OPTION = "*"
"""By all options but the seed: what stands together differs in luck alone."""
_MOST_IDS = 64
"""Runs of a group that are named."""


def grouped(rows: Sequence[Row], by: Sequence[str], figure: str) -> list[RunGroup]:
    """A group for each combination of values that ``rows`` have for the columns ``by``, in their order.

    Args:
        rows: runs, in the order in which the list would show them.
        by: names of columns; ``*`` for every option that a result can come of.
        figure: the column whose mean and spread are told. A run without it counts as a run and in no mean.
    """
    names = differing(rows) if list(by) == [EVERY_OPTION] else list(by)
    groups: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in rows:
        key = tuple((type(cell).__name__, written(cell)) for cell in map(row.cell, names))
        groups.setdefault(key, []).append(row)
    return [_group({name: inside[0].cell(name) for name in names}, inside, figure) for inside in groups.values()]


def differing(rows: Sequence[Row]) -> list[str]:
    """The options, but for the seed and what is beside the point, in which ``rows`` are not all alike."""
    seen: dict[str, set[tuple[type, Cell]]] = {}
    for row in rows:
        for name, value in row.options.items():
            if is_telling(name):
                seen.setdefault(name, set()).add((type(value), value))
    counts = {name: sum(row.options.has(name) for row in rows) for name in seen}
    return sorted(name for name, values in seen.items() if len(values) > 1 or counts[name] < len(rows))


def _group(options: dict[str, Cell], rows: list[Row], figure: str) -> RunGroup:
    cells = [row.cell(figure) for row in rows]
    values = [float(v) for v in cells if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)]
    seeds = {row.options.get("seed") for row in rows}
    return RunGroup(
        options=options,
        count=len(rows),
        seeds=len(seeds - {None}),
        measured=len(values),
        mean=math.fsum(values) / len(values) if values else None,
        deviation=statistics.stdev(values) if len(values) > 1 else None,
        low=min(values, default=None),
        high=max(values, default=None),
        runs=[row.summary.id for row in rows[:_MOST_IDS]],
    )
