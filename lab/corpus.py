"""Where a text comes from: files on disk, in a fixed order, read as documents in pieces of bounded size."""

import codecs
import glob
import json
import os
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.errors import LabError
from lab.paths import typed_parts

SUFFIXES = (".txt", ".md", ".py", ".jsonl")
"""What counts as text when a folder is given. A file named outright may have any suffix."""

_PIECE = 1 << 20  # bytes read at a time

Document = Iterator[str]
"""A text in pieces. Only the end of the last piece is the end of the document."""


def bundled_folder() -> Path:
    """The folder of the corpora that come with the project: inside the package if installed, beside it in a clone."""
    package = Path(__file__).resolve().parent
    inside = package / "corpora"
    return inside if inside.is_dir() else package.parent / "corpora"


def find_files(path: str, start_folder: Path) -> list[Path]:
    """The files that ``path`` names: a file, all texts below a folder, or the matches of a glob pattern.

    A relative path starts at ``start_folder``, the folder where the command was typed. The order is that of the
    names, on every machine, because the end of the corpus becomes the validation text.

    Raises:
        LabError: if there is nothing of the kind.
    """
    base, rest = typed_parts(path, start_folder)
    target = base / rest
    if target.is_file():
        return [target]
    if target.is_dir():
        files = [
            f for f in target.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file() and not _hidden(f, target)
        ]
        if not files:
            raise LabError(f"corpus.path: the folder {target} has no text in it ({', '.join(SUFFIXES)} files)")
    else:
        # A path that exists is taken literally, brackets and all; only one that doesn't can be a pattern.
        # Nor are brackets in the name of the folder that we stand in, or of a home, a pattern.
        matches = glob.glob(os.path.join(glob.escape(str(base)), rest), recursive=True)
        files = [Path(match) for match in matches if Path(match).is_file()]
        if not files:
            raise LabError(f"corpus.path: there is no file, folder or match for {target}")
    return sorted(files)


def stdlib_files() -> list[Path]:
    """The source of the running Python's standard library: megabytes of real text that every machine has.

    Its tests, which are half of it and mostly tables of numbers, are left out, as is what others installed.
    """
    root = Path(sysconfig.get_path("stdlib"))
    skipped = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
    files = [f for f in root.rglob("*.py") if not skipped.intersection(f.relative_to(root).parts)]
    # A handful of modules are written in old encodings to show that Python can read them.
    return sorted(f for f in files if _is_utf8(f))


def documents(files: Iterable[Path]) -> Iterator[Document]:
    """The documents in ``files``, each to be read to its end before the next: a file is one, a JSON line is one.

    Raises:
        LabError: if a file cannot be read, is binary, is not UTF-8, or is not JSON lines with a ``text``.
    """
    for file in files:
        if file.suffix.lower() == ".jsonl":
            yield from _json_lines(file)
        else:
            yield _pieces(file)


def _pieces(file: Path) -> Iterator[str]:
    """``file`` as UTF-8, a megabyte at a time; a byte order mark at its start is not text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    mark = "\ufeff"
    try:
        with file.open("rb") as stream:
            while block := stream.read(_PIECE):
                if (nul := block.find(b"\0")) >= 0:
                    raise LabError(
                        f"{file} is not a text: a zero byte stands at position {position + nul}; "
                        "give a plain UTF-8 text file"
                    )
                piece = decoder.decode(block)
                yield piece.removeprefix(mark)
                mark = "" if piece else mark
                position += len(block)
            yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise LabError(
            f"{file} is not UTF-8 (near byte {position + error.start}): convert it, "
            "for example with `iconv -f latin1 -t utf-8`"
        ) from None
    except OSError as error:
        raise LabError(f"{file} cannot be read: {error.strerror}") from error


def _json_lines(file: Path) -> Iterator[Document]:
    """One document from each line of ``file``: a JSON object whose ``text`` is a string."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.strip():
                    continue
                try:
                    text = json.loads(line)["text"]
                    text.encode("utf-8")
                except (ValueError, TypeError, KeyError, AttributeError):
                    raise LabError(f'{file}, line {number}: expected a JSON object like {{"text": "..."}}') from None
                yield iter([text])
    except UnicodeDecodeError as error:
        raise LabError(f"{file} is not UTF-8 (near byte {error.start})") from None
    except OSError as error:
        raise LabError(f"{file} cannot be read: {error.strerror}") from error


def _hidden(file: Path, root: Path) -> bool:
    """Below ``root``, in or as something whose name begins with a dot (.git, .venv, ...)."""
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _is_utf8(file: Path) -> bool:
    try:
        file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return False
    return True
