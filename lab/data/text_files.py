"""Which files a path names: a file, the texts below a folder, or the matches of a pattern."""

import errno
import os
import stat
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import lab
from lab.data import compressed, parquet
from lab.data.tree_walk import Found, unreadable, walk
from lab.errors import LabError
from lab.files.paths import typed_path

_PLAIN = (".txt", ".md", ".py", ".jsonl", ".ndjson")
SUFFIXES = (*_PLAIN, *(inner + outer for outer in compressed.ENDINGS for inner in _PLAIN), parquet.ENDING)
"""What counts as text when a folder is given. A file named outright, or by a pattern, may have any suffix."""


def bundled_folder() -> Path:
    """The folder of the corpora that come with the project: inside the package if installed, beside it in a clone."""
    package = Path(lab.__file__).resolve().parent
    inside = package / "corpora"
    return inside if inside.is_dir() else package.parent / "corpora"


def find_files(path: str, start_folder: Path) -> list[Path]:
    """As ``find``, the files alone."""
    return find(path, start_folder).files


def find(path: str, start_folder: Path, caches: Iterable[Path] = ()) -> Found:
    """The files that ``path`` names: a file, all texts below a folder, or the matches of a glob pattern.

    A relative path starts at ``start_folder``, the folder where the command was typed. The order is that of the
    names, on every machine, because the end of the corpus becomes the validation text. ``caches`` are folders of the
    lab's own, to be left out where they lie among the texts.

    Raises:
        LabError: if there is nothing of the kind, or something there cannot be read.
    """
    target = typed_path(path, start_folder).absolute()
    about = _about(target)
    if about is None:
        # A path that exists is taken literally, brackets and all; only one that doesn't can be a pattern.
        base, pattern = _split(target)
        found = walk(base, pattern, None, caches) if pattern and _about(base) and base.is_dir() else Found()
        if not found.files:
            raise LabError(f"corpus.path: there is no file, folder or match for {target}{_but(found)}")
    elif stat.S_ISREG(about.st_mode):
        found = Found([target], about.st_size)
    elif stat.S_ISDIR(about.st_mode):
        found = walk(target, ("**", "*"), SUFFIXES, caches)
        if not found.files:
            raise LabError(
                f"corpus.path: the folder {target} has no text in it ({', '.join(_PLAIN)} files, also with "
                f"{' or '.join(compressed.ENDINGS)} behind, and {parquet.ENDING}; a pattern such as "
                f"'{target.name}/*' takes any){_but(found)}"
            )
    else:
        raise LabError(f"corpus.path: {target} is no plain file, and a text is read twice: write it to a file first")
    return found


def stdlib_files() -> list[Path]:
    """The source of the running Python's standard library: megabytes of real text that every machine has.

    Its tests, which are half of it and mostly tables of numbers, are left out, as is what others installed.
    """
    root = Path(sysconfig.get_path("stdlib"))
    found = walk(root, ("**", "*.py"), unwanted={"test", "tests", "idle_test"})
    # A handful of modules are written in old encodings to show that Python can read them.
    return [file for file in found.files if _is_utf8(file)]


def _about(path: Path) -> os.stat_result | None:
    """What the system knows of ``path``; None if it does not exist, or could not."""
    try:
        return path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):  # the last is Windows' word for a * in a name
            return None
        raise unreadable(path, error) from error


def _split(target: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder where a pattern begins, and its parts from there on: the first is one that has signs of a pattern and
    is no name that exists. Empty parts if there is none."""
    base, *parts = Path(target.anchor), *target.parts[1:]
    while parts and not (set(parts[0]) & set("*?[") and not os.path.lexists(base / parts[0])):
        base /= parts.pop(0)
    return base, tuple(parts)


def _but(found: Found) -> str:
    return f"; left out were {found.told()}" if found.left_out else ""


def _is_utf8(file: Path) -> bool:
    try:
        file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    except OSError as error:
        raise unreadable(file, error) from error
    return True
