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


def runs_below(
    folder: Path, marks: tuple[str, ...] = MARKS, depth: int = _DEPTH, known: dict[str, int] | None = None
) -> Iterator[Path]:
    """Run folders below ``folder``. A run has no runs inside it; hidden folders and links are left out.

    Who looks again and again keeps ``known`` between the times: when the folders that were found were last changed.
    What has not changed since is not opened again.
    """
    known = {} if known is None else known
    for entry in entries(folder):
        if not depth or entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
            continue
        try:
            changed = entry.stat(follow_symlinks=False).st_mtime_ns
        except OSError:  # removed just now
            continue
        inner = Path(entry.path)
        if known.get(entry.path) == changed or is_run(inner, marks):
            known[entry.path] = changed
            yield inner
        else:
            known.pop(entry.path, None)
            yield from runs_below(inner, marks, depth - 1, known)
