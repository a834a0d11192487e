"""What can be said of a run in a column: its figures, and every option by its full name.

Thousands of runs have the same options, and mostly the same values: the names are kept once, and so is each value.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lab.dashboard.schemas import RunSummary
from lab.files.safe_files import number

Cell = str | int | float | bool | None

FIGURES = (
    *("name", "state", "step", "total_steps", "created", "updated", "model", "parameters", "corpus", "path"),
    *("train_loss", "val_loss", "best_val_loss", "tokens_per_second", "checkpoints"),
)
"""Fields of a summary that a list can be sorted by."""
RESULTS = ("bits_per_byte", "perplexity", "tokens_seen", "seconds", "best_step")
"""What of ``results.json`` stands beside them."""
_LONGEST = 120
"""Characters of a value, and how many options a run may have: somebody may have written anything into its files."""
_MOST = 400


class Row(NamedTuple):
    """A run in a list."""

    summary: RunSummary
    options: "Options"
    results: tuple[float | None, ...]
    """In the order of ``RESULTS``."""

    def cell(self, name: str) -> Cell:
        """What stands in the column ``name``; None if the run has nothing to say there."""
        if name in FIGURES:
            value = getattr(self.summary, name)
            return None if value in ("NaN", "Infinity", "-Infinity") and name != "name" else value
        if name in RESULTS:
            return self.results[RESULTS.index(name)]
        return self.options.get(name)


class Options:
    """The options of a run, by full name."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: dict[str, int], values: tuple[Cell, ...]) -> None:
        self._names = names
        self._values = values

    def get(self, name: str) -> Cell:
        """The value of an option; None if there is none."""
        place = self._names.get(name)
        return None if place is None else self._values[place]

    def has(self, name: str) -> bool:
        """Is there an option of that name?"""
        return name in self._names

    def items(self) -> Iterator[tuple[str, Cell]]:
        """All of them."""
        return zip(self._names, self._values, strict=True)


class Packer:
    """Makes ``Options`` that share what they have in common."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], dict[str, int]] = {}
        self._values: dict[tuple[type, Cell], Cell] = {}

    def pack(self, config: Mapping[str, Any]) -> Options:
        """The options of a run's ``config.yaml``."""
        found = dict(list(flat(config))[:_MOST])
        names = tuple(found)
        if len(self._names) > 1000 or len(self._values) > 100_000:  # what is shared no more is not kept
            self._names.clear()
            self._values.clear()
        known = self._names.setdefault(names, {name: place for place, name in enumerate(names)})
        return Options(known, tuple(self._values.setdefault((type(v), v), v) for v in found.values()))


def varied(rows: Iterable[Row]) -> dict[str, bool]:
    """Every option of ``rows``, and whether it has more than one value in them."""
    first: dict[str, Cell] = {}
    found: dict[str, bool] = {}
    for row in rows:
        for name, value in row.options.items():
            if name not in first:
                first[name], found[name] = value, False
            elif not found[name] and value != first[name]:
                found[name] = True
    return found


def results(found: Mapping[str, Any]) -> tuple[float | None, ...]:
    """Those of ``RESULTS`` that a run's ``results.json`` has."""
    return tuple(number(found.get(name)) for name in RESULTS)


def flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Cell]]:
    """Options by full name, as the page writes them: a class behind a group is the choice itself, a list is a text."""
    for key, value in config.items():
        name = prefix + key
        if key == "_target_":
            yield prefix.rstrip("."), str(value).rpartition(".")[2][:_LONGEST]
        elif isinstance(value, Mapping):
            yield from flat(value, f"{name}.")
        elif isinstance(value, list):
            yield name, f"[{', '.join(map(written, value))}]"[:_LONGEST]
        else:
            yield name, value[:_LONGEST] if isinstance(value, str) else value


def written(value: Any) -> str:
    """A value as one types it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
