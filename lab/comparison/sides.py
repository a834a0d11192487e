"""Which runs stand on one side of a comparison: those that differ in nothing but the seed."""

import glob
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.comparison.run_curve import Run, read_run
from lab.errors import LabError, shown
from lab.files.paths import typed_parts, typed_path
from lab.runs.discovery import is_run, runs_below

MOST_RUNS = 1000
_BESIDE_THE_POINT = (
    *("seed", "resume", "save", "save_every", "keep", "snapshots", "if_save_fails"),
    *("log_every", "eval_every"),
    *("name", "tags", "notes"),
)
_BESIDE_THE_POINT_GROUPS = ("logger.", "sample.", "data.num_workers")
"""Options that change what is kept or shown of a run, and nothing of what it learns."""
ABSENT = "(not an option then)"


@dataclass(frozen=True)
class Side:
    """Runs with the same options but for the seed."""

    name: str
    """A, B, ...; A is the baseline."""
    options: dict[str, Any]
    """Those in which the sides differ, by full name; ``ABSENT`` where an older version had none of that name."""
    runs: tuple[Run, ...]

    @property
    def label(self) -> str:
        """``B (optimizer.lr=0.001)``."""
        words = " ".join(f"{shown(name)}={_word(value)}" for name, value in self.options.items())
        return f"{self.name} ({words if len(words) <= 120 else words[:117] + '...'})" if words else self.name

    @property
    def seeds(self) -> list[int]:
        """In the order of the runs; -1 for one that does not know its own."""
        return [-1 if run.seed is None else run.seed for run in self.runs]


def find(words: Sequence[str], start_folder: Path) -> list[list[Run]]:
    """The runs that each word means: a run folder, a folder with runs below it (a sweep, an experiment), a pattern.

    Raises:
        LabError: if one means none, or there are more than ``MOST_RUNS``.
    """
    known: dict[Path, Run] = {}
    found = []
    for word in words:
        folders = _folders(word, start_folder)
        if not folders:
            raise LabError(f"there is no run in {shown(word, 200)}: give the folder of a run, of a sweep, or a pattern")
        for folder in folders:
            if folder not in known:
                known[folder] = read_run(folder)
        if len(known) > MOST_RUNS:
            raise LabError(f"these are more than {MOST_RUNS:,} runs: compare fewer at a time")
        found.append([known[folder] for folder in folders])
    return found


def _folders(word: str, start_folder: Path) -> list[Path]:
    path = typed_path(word, start_folder)
    places = [path]
    if not os.path.lexists(path):
        base, pattern = typed_parts(word, start_folder)
        places = [base / name for name in sorted(glob.glob(pattern, root_dir=base, recursive=True))]
    found: list[Path] = []
    for place in places:
        # Somebody has named it, so that a link is followed here; what lies below is taken for what it is.
        real = Path(os.path.realpath(place))
        found += [real] if is_run(real) else sorted(runs_below(real), key=_by_number)
    return list(dict.fromkeys(found))


def _by_number(folder: Path) -> list[tuple[int, str]]:
    """Hydra counts the runs of a sweep: 2 comes before 10."""
    return [(int(part) if part.isdecimal() and len(part) < 16 else -1, part) for part in folder.parts]


def make_sides(found: Sequence[Sequence[Run]]) -> list[Side]:
    """The runs in sides: those with the same options but for the seed stand together, wherever they were named. Where
    nothing differs and two words were given, each word is a side: the code may differ, or the machine.

    Raises:
        LabError: if there are not two sides.
    """
    sides = grouped(run for runs in found for run in runs if run.evaluations)
    measured = [[run for run in _once(runs) if run.evaluations] for runs in found]
    if len(sides) == 1 and len(found) == 2 and all(measured) and not set(_places(found[0])) & set(_places(found[1])):
        sides = measured
    if not sides:
        raise LabError("none of these runs has evaluated its model yet: wait until one has")
    if len(sides) == 1:
        some = "this is one run" if len(sides[0]) == 1 else f"these {len(sides[0])} runs differ in nothing but the seed"
        raise LabError(f"{some}: a comparison needs two sides, give runs with other options as well")
    return named(sides)


def grouped(runs: Iterable[Run]) -> list[list[Run]]:
    """Those with the same options but for the seed together, each once, in the order in which they come."""
    groups: dict[str, list[Run]] = {}
    for run in _once(runs):
        groups.setdefault(json.dumps(_telling(run), sort_keys=True, default=str), []).append(run)
    return list(groups.values())


def named(groups: Sequence[Sequence[Run]]) -> list[Side]:
    """Groups of runs as sides, the first one as the baseline."""
    options = [_telling(runs[0]) for runs in groups]
    differing = sorted({key for one in options for key in one if _differs(key, options)})
    return [
        Side(_letter(place), {key: one.get(key, ABSENT) for key in differing}, tuple(runs))
        for place, (runs, one) in enumerate(zip(groups, options, strict=True))
    ]


def without_evaluation(found: Sequence[Sequence[Run]]) -> list[Run]:
    """Runs that no side can have, for they have measured nothing."""
    return [run for run in _once(run for runs in found for run in runs) if not run.evaluations]


def _once(runs: Iterable[Run]) -> list[Run]:
    return list({run.folder: run for run in runs}.values())


def _places(runs: Iterable[Run]) -> list[Path]:
    return [run.folder for run in runs]


def is_telling(name: str) -> bool:
    """Can what a run learns come of this option? The seed counts as luck."""
    return name not in _BESIDE_THE_POINT and not name.startswith(_BESIDE_THE_POINT_GROUPS)


def _telling(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.options.items() if is_telling(name)}


def _differs(key: str, sides: list[dict[str, Any]]) -> bool:
    return any(side.get(key, ABSENT) != sides[0].get(key, ABSENT) for side in sides)


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"S{place + 1}"


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return shown(str(value), 40)
