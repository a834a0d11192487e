"""Files in run folders, opened for what they are: a symbolic link could lead to any file of this machine."""

import os
from pathlib import Path
from typing import Any, BinaryIO

from lab import strictjson


def opened(path: Path) -> BinaryIO:
    """``path`` for reading.

    Raises:
        OSError: if it is not there, or is a link.
    """
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NOFOLLOW", 0)))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file that somebody may have damaged; empty if so, or if it isn't there."""
    try:
        with opened(path) as file:
            found = strictjson.loads(file.read())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def entries(folder: Path) -> list["os.DirEntry[str]"]:
    """What is in a folder; nothing if it is no folder, or a link to one."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
