"""The server's own folder, with what it believes: its token and its queue.

Whatever lies below outputs/ or multirun/ may have been downloaded, and is shown but never obeyed. So what the server
acts on lies elsewhere, in a folder of this user's that no run folder can bring along.
"""

import hashlib
import os
import secrets
import stat
from pathlib import Path

from lab.errors import LabError
from lab.files import atomic

FOLDER_VARIABLE = "LAB_STATE"
"""Environment variable with the folder in which each root has a folder of its own."""


def folder_of(root: Path) -> Path:
    """The server's own folder for ``root``: below ``$LAB_STATE``, else where this user's programs keep their state."""
    named = os.environ.get(FOLDER_VARIABLE)
    states = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    key = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    return (Path(named) if named else states / "gpt-lab") / key


def prepare(folder: Path) -> None:
    """Makes the folder, for this user alone.

    Raises:
        LabError: if it cannot be made, or others may write to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.lstat()
    except OSError as error:
        raise LabError(
            f"the server's own folder {folder} cannot be made ({error.strerror}): name another place in "
            f"{FOLDER_VARIABLE}"
        ) from error
    if os.name == "posix" and (
        not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022
    ):
        raise LabError(f"{folder} must be a folder that only you can write to: name another place in {FOLDER_VARIABLE}")


def token(folder: Path) -> str:
    """The secret of the server: the same after a restart, so that open pages stay open.

    Raises:
        LabError: if it cannot be written.
    """
    path = folder / "token"
    try:
        known = path.read_text(encoding="ascii").strip()
        if len(known) >= 32:
            return known
    except (OSError, ValueError):
        pass
    made = secrets.token_urlsafe(32)
    try:
        write_private(path, made)
    except OSError as error:
        raise LabError(f"{folder} cannot be written to ({error.strerror}): make room, or free it") from error
    return made


def write_private(path: Path, text: str) -> None:
    """Writes a file that nobody else can read."""
    with atomic.writing(path, private=True) as file:
        file.write(text.encode())
