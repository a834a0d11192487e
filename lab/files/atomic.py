"""Files that are written whole or not at all.

A process can be killed between any two instructions, and a disk can fill up in the middle of a write. Whoever reads
one of our files must find the old content or the new content, never a torn mixture. POSIX gives one operation with
that property: renaming a file over another one within a folder.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lab.files import strict_json

_LEFTOVER = re.compile(r"\.(.+)\.(?:[a-z0-9_]{8}|\d+)\.tmp")
"""A temporary name: of tempfile, or of lab.runs.checkpoint.link with its process's number."""


@contextmanager
def writing(path: Path, sync: bool = True, private: bool = False) -> Iterator[IO[bytes]]:
    """Opens a temporary file that takes the place of ``path`` when the block ends without an exception.

    The data is on the disk (``fsync``) before the rename: otherwise a power cut could leave the new name pointing at
    an empty file. ``sync=False`` leaves that out, for what need not survive one. ``private``: nobody else may read it.
    On an exception ``path`` is untouched and the temporary file is gone.
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
        if not private:  # which temporary files are
            os.chmod(temporary, _open_permissions())
        put(Path(temporary), path, sync)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def making(path: Path) -> Iterator[Path]:
    """Yields an unused name. The file or the folder that the block makes there becomes ``path`` when it ends.

    For writers that want a name instead of an open file. A file takes the place of an older one; a folder only that
    of an empty one. Everything is on the disk before the rename; on an exception nothing is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp") as workshop:
        made = Path(workshop) / path.name
        yield made
        for file in [made, *made.rglob("*")]:
            if file.is_file():
                file.chmod(_open_permissions())
                with file.open("rb+") as written:
                    os.fsync(written.fileno())
            else:
                _sync_folder(file)
        put(made, path)


def put(made: Path, path: Path, sync: bool = True) -> None:
    """Gives ``made``, which is whole and on the disk, the name ``path`` in place of what had it. ``sync``: that it has
    outlives a power cut."""
    os.replace(made, path)
    if sync:
        _sync_folder(path.parent)


def _open_permissions() -> int:
    """What a plain open() would give a new file; temporary files belong to their owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def utf8(text: str) -> bytes:
    """``text`` as UTF-8, with paths in it as well, in which Python carries bytes that it could not read (PEP 383).

    In an ASCII locale these are the UTF-8 of names like any other, and become themselves. Bytes that are no text get
    an escape, which is the one that JSON has for them.
    """
    try:
        data = text.encode("utf-8", "surrogateescape")
        data.decode("utf-8")
    except UnicodeError:
        return text.encode("utf-8", "backslashreplace")
    return data


def write_text(path: Path, text: str) -> None:
    """Writes ``text`` as UTF-8, atomically."""
    with writing(path) as file:
        file.write(utf8(text))


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` as indented JSON, atomically."""
    write_text(path, strict_json.dumps(value, indent=2) + "\n")


def remove_folder(path: Path) -> None:
    """Removes a folder with all that is in it. Whoever reads there meanwhile finds it whole or not at all."""
    # Short, for the folder's own name may be as long as names get.
    hidden = path.with_name(f".{path.stat().st_ino}.deleted")
    path.rename(hidden)
    shutil.rmtree(hidden)


def remove_leftovers(folder: Path, is_ours: Callable[[str], object]) -> None:
    """Removes what killed processes left in ``folder`` of writing files whose name ``is_ours``; for when nobody else is
    writing them. Other temporary files are somebody else's."""
    for leftover in folder.glob(".*.tmp"):
        found = _LEFTOVER.fullmatch(leftover.name)
        if found and is_ours(found[1]) and leftover.is_file():
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
