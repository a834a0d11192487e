"""Whatever the server writes, it writes inside its root: no link in a run folder leads it, or a training, out."""

import contextlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from lab.dashboard.http_errors import ApiError
from lab.files import atomic
from lab.files.safe_files import opened


def refuse_links_to(path: Path, base: Path) -> None:
    """Makes sure that no part of ``path`` behind ``base`` is a link.

    Raises:
        ApiError: naming the part that is.
    """
    for part in [path, *path.parents]:
        if part == base or not part.is_relative_to(base):
            return
        if part.is_symlink():
            raise ApiError(409, f"{part} is a link, and nothing is written through links: remove it first")


def refuse_links_in(folder: Path) -> None:
    """Makes sure that a training in ``folder`` stays there: no link in it leads out, and nothing in it is a pipe.

    Raises:
        ApiError: naming what does or is.
    """
    home = os.path.realpath(folder)
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place, name)
            kind = path.lstat().st_mode
            if stat.S_ISLNK(kind) and not Path(os.path.realpath(path)).is_relative_to(home):
                raise ApiError(409, f"{path} is a link that leads out of the run's folder: remove it first")
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)):
                raise ApiError(409, f"{path} is neither a file nor a folder: remove it first")


def appending(path: Path) -> BinaryIO:
    """A log, to go on writing where it ends.

    Raises:
        OSError: if it is a link, or no file.
    """
    with contextlib.suppress(FileNotFoundError), opened(path) as file:
        if os.fstat(file.fileno()).st_nlink > 1:  # a file of other names too, which are not ours to write to
            with atomic.writing(path) as copy:
                copy.write(file.read())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o666), "ab")
