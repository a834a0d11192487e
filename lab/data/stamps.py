"""What was found out about files, kept for as long as they are the same: told by their names, sizes and times alone.

A start that read and hashed all its text again would take seconds a gigabyte, in each job of a sweep.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lab.files import atomic, strict_json
from lab.files.validation import Kind, parts, text

_SETTLED = 2_000_000_000
"""Nanoseconds. A file that was touched within them could be changed once more, and no time would show it: clocks of
file systems go in steps, FAT's of two seconds. Such a file is looked at again each time."""


def stamp(files: Sequence[Path]) -> str | None:
    """The same for as long as nobody has written to ``files``; None where that can't be told.

    Raises:
        OSError: if one of them is gone.
    """
    told = hashlib.sha256()
    newest = 0
    for file in files:
        about = file.stat()
        # The time of the last change to the file's entry: a program can set the other one back, and some do (cp -p).
        newest = max(newest, about.st_mtime_ns, about.st_ctime_ns)
        facts = (str(file), about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        told.update(repr(facts).encode("utf-8", "surrogatepass"))
    return told.hexdigest() if files and newest < time.time_ns() - _SETTLED else None


def once(place: Path, files: Sequence[Path], kind: Kind, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``find`` finds out about ``files``: what it found then, if they are as they were, or else now.

    ``place`` is where it is kept, and ``kind`` what it must be to be believed. Where it cannot be kept, it is found
    each time.
    """
    before = _stamp_or_none(files)
    if before is not None:
        with contextlib.suppress(OSError, ValueError):
            kept = parts({"stamp": text(), "facts": kind})(strict_json.loads(place.read_bytes()), place.name)
            if kept["stamp"] == before:
                facts: dict[str, Any] = kept["facts"]
                return facts
    found = find()
    if before is not None and _stamp_or_none(files) == before:
        with contextlib.suppress(OSError):
            atomic.write_json(place, {"stamp": before, "facts": found})
    return found


def _stamp_or_none(files: Sequence[Path]) -> str | None:
    try:
        return stamp(files)
    except OSError:  # whoever reads them says so
        return None
