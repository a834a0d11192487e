"""Files that are written whole or not at all.

A process can be killed between any two instructions, and a disk can fill up in the middle of a write. Whoever reads
one of our files must find the old content or the new content, never a torn mixture. POSIX gives one operation with
that property: renaming a file over another one within a folder.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def writing(path: Path, sync: bool = True) -> Iterator[IO[bytes]]:
    """Opens a temporary file that takes the place of ``path`` when the block ends without an exception.

    The data is on the disk (``fsync``) before the rename: otherwise a power cut could leave the new name pointing at
    an empty file. ``sync=False`` leaves that out, for what need not survive one. On an exception ``path`` is
    untouched and the temporary file is gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Same folder, because a rename is atomic only within one filesystem.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        # mkstemp makes files that only their owner can read; give ours the permissions a plain open() would have.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
        if sync:
            _sync_folder(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Writes ``text`` as UTF-8, atomically."""
    with writing(path) as file:
        file.write(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def remove_leftovers(folder: Path, name: str = "*") -> None:
    """Removes what killed processes left of writing ``name`` in ``folder``; for when nobody else is writing it."""
    for leftover in folder.glob(f".{name}.*.tmp"):
        leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes a rename in ``folder`` survive a power cut, where the system lets a folder be synced (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
