"""Files in run folders, opened for what they are, and read as what JSON can say.

A run folder may come from anywhere. A symbolic link in it could lead to any file of this machine, a pipe would be
waited for without end, and what stands in a file may be too much or too deep for whoever shows it.
"""

import errno
import math
import os
import stat
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any, BinaryIO

from lab.errors import LabError
from lab.files import strict_json

MOST_BYTES = 16 << 20
"""Of a file that is read as a whole."""
_MOST_VALUES = 200_000
_DEEPEST = 32
_LARGEST = 2**63
"""No whole number from here on fits into an array."""


def opened(path: Path) -> BinaryIO:
    """``path`` for reading.

    Raises:
        OSError: if it is not there, or is a link, a pipe or a device.
    """
    return open(path, "rb", opener=_plainly)


def _plainly(name: str, flags: int) -> int:
    # Not to wait, because opening a pipe waits for its other end; for a file, that changes nothing.
    descriptor = os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file", name)
    return descriptor


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file that somebody may have damaged; empty if so, or if it isn't there."""
    return read_object(path, strict_json.loads)


def refuse_replacing(target: Path, ours: Set[str] = frozenset()) -> None:
    """Keeps a command from replacing a file that no such command has written: one of its own is a JSON object with all
    the names ``ours``, if there are any.

    Raises:
        LabError: if something else is there.
    """
    is_own = bool(ours) and target.suffix.lower() == ".json" and read_json(target).keys() >= ours
    if (target.is_symlink() or target.exists()) and not is_own:
        raise LabError(f"{target} is there already and left as it is: choose another to=, or remove it first")


def read_object(path: Path, parse: Callable[[bytes], Any]) -> dict[str, Any]:
    """As ``read_json``, in another language: what ``parse`` makes of the file, as far as it is an object of ``plain``
    values."""
    try:
        with opened(path) as file:
            content = file.read(MOST_BYTES + 1)
        found = plain(parse(content)) if len(content) <= MOST_BYTES else None
    except Exception:  # bytes from anywhere can make a parser stumble in any way
        return {}
    return found if isinstance(found, dict) else {}


def plain(value: Any) -> Any:
    """``value`` as a value of JSON: half characters and what JSON does not know become text, NaN and infinity names.

    Raises:
        ValueError: if it is too large, too deep (or goes round in circles), or has a number beyond 64 bits.
    """
    left = _MOST_VALUES

    def walk(value: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if depth > _DEEPEST or left < 0:
            raise ValueError("it is too deep or too large")
        if isinstance(value, dict):
            return {readable(str(key)): walk(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set):
            return [walk(item, depth + 1) for item in value]
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise ValueError("it has a number beyond 64 bits")
        return (
            strict_json.named(value) if value is None or isinstance(value, bool | int | float) else readable(str(value))
        )

    return walk(value, 0)


def readable(text: str) -> str:
    """``text`` with U+FFFD for each half of a character, which UTF-8 cannot write."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number(value: Any) -> float | None:
    """``value`` if it is a finite number."""
    if not isinstance(value, int | float) or not -float(_LARGEST) <= value <= float(_LARGEST):
        return None
    return float(value) if math.isfinite(value) else None


def entries(folder: Path) -> list["os.DirEntry[str]"]:
    """What is in a folder; nothing if it is no folder, or a link to one."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
