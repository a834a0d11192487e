"""Paths as people type them: in an option, behind a flag, in an environment variable."""

import os
import shlex
import stat
import tempfile
from pathlib import Path

from lab.errors import LabError

FOLDER_VARIABLES = ("LAB_CACHE", "LAB_CORPORA", "LAB_STATE", "HF_HOME", "HF_HUB_CACHE")
"""Environment variables that name folders."""


def typed_path(text: str, start_folder: Path) -> Path:
    """The path that ``text`` means for somebody who stands in ``start_folder``: what it says, sign by sign.

    ``~`` and ``~user`` at its beginning are that home folder, as in a shell; but what lies here under that very name
    comes first, and where there is no such home, ``~`` is a letter like any other.

    Raises:
        LabError: if nothing can have such a name, or it lies where nobody may look.
    """
    base, rest = typed_parts(text, start_folder)
    return base / rest


def typed_parts(text: str, start_folder: Path) -> tuple[Path, str]:
    """``typed_path`` in two parts: the folder where it begins, and what was typed to follow. For patterns, whose signs
    mean something in the second part only. A second part that is absolute stands alone."""
    if not _is_there(start_folder / text) and text.startswith("~"):
        head, _, rest = text.partition("/")
        home = os.path.expanduser(head)
        if home != head and os.path.isabs(home) and os.path.isdir(home):
            rest = rest.lstrip("/")
            _is_there(Path(home, rest))
            return Path(home), rest
    return start_folder, text


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # too long, a loop of links, no permission; a zero byte
        name = str(path) if len(str(path)) <= 300 else f"{str(path)[:300]}..."
        raise LabError(f"the path {name} is of no use ({getattr(error, 'strerror', None) or error})") from error
    return True


def settle_home() -> None:
    """Gives a user without a home, a mere number in a container, say, a cache folder among the temporary files: there
    every library that keeps something looks for a home, and some fail for want of one."""
    if os.environ.get("XDG_CACHE_HOME") or os.path.isabs(os.path.expanduser("~")):
        return
    folder = Path(tempfile.gettempdir(), f"gpt-lab-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        # Others may write there, too, and the name is known: only a folder that nobody else can have filled is ours.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            folder = Path(tempfile.mkdtemp(prefix="gpt-lab-"))
    except OSError as error:
        raise LabError(
            f"there is no home folder, and {folder} cannot be used instead ({error.strerror}): set HOME"
        ) from error
    os.environ["XDG_CACHE_HOME"] = str(folder)
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))  # the one that asks for another folder


def cache_folder(variable: str, name: str) -> Path:
    """Where files are kept that can be had again: in what the environment variable names, else in ``name`` in this
    user's cache folder."""
    if named := os.environ.get(variable):
        return typed_path(named, Path.cwd())
    settle_home()
    import pooch  # here, because lab.control has no use for it, and is to be quick

    return Path(pooch.os_cache("gpt-lab"), name)


def settle_variables() -> None:
    """Makes the paths in ``FOLDER_VARIABLES`` absolute, for a process that will stand in another folder later, or
    whose children will. Without a home, also the one that stands in for it."""
    settle_home()
    for name in FOLDER_VARIABLES:
        if value := os.environ.get(name):
            # Hugging Face expands $VARIABLES in its own, and would do so after us.
            value = os.path.expandvars(value) if name.startswith("HF_") else value
            os.environ[name] = str(typed_path(value, Path.cwd()))


def shown(path: Path, start_folder: Path) -> str:
    """``path`` for a command line to be pasted into a shell in ``start_folder``: as short as it can be, and quoted
    where it must be."""
    text = str(path.relative_to(start_folder) if path.is_relative_to(start_folder) else path)
    # Else a flag, somebody's home, or a word that means something else behind resume=.
    if text.startswith(("-", "~")) or text in ("auto", "null"):
        text = f"./{text}"
    return shlex.quote(text)
