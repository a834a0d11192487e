"""Run folders below a folder: those of a sweep, of an experiment, of a day."""

from collections.abc import Iterator
from pathlib import Path

from lab.files.run_files import EVENTS_FILE, RESULTS_FILE, STATE_FILE
from lab.files.safe_files import entries

MARKS = (STATE_FILE, EVENTS_FILE, RESULTS_FILE)
"""What makes a folder that of a run, by name."""
_DEPTH = 6


def is_run(folder: Path, marks: tuple[str, ...] = MARKS) -> bool:
    """Is one of ``marks`` in it? Symbolic links do not count."""
    return any(entry.name in marks and entry.is_file(follow_symlinks=False) for entry in entries(folder))


def runs_below(folder: Path, marks: tuple[str, ...] = MARKS, depth: int = _DEPTH) -> Iterator[Path]:
    """Run folders below ``folder``. A run has no runs inside it; hidden folders and links are left out."""
    for entry in entries(folder):
        if depth and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            inner = Path(entry.path)
            if is_run(inner, marks):
                yield inner
            else:
                yield from runs_below(inner, marks, depth - 1)
