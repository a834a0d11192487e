"""What is read from the files of a corpus: documents, in pieces of bounded size."""

import codecs
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lab.data.text_files import SUFFIXES, bundled_folder, find_files, stdlib_files
from lab.errors import LabError
from lab.files import strict_json, user_code
from lab.files.utf8 import not_utf8, refuse_utf16

__all__ = ["SUFFIXES", "Document", "bundled_folder", "documents", "find_files", "own_documents", "stdlib_files"]

_PIECE = 1 << 20  # bytes read at a time

_JSON = (".json", ".jsonl", ".ndjson")

_EXPECTED = 'expected a JSON object like {"text": "..."}, or an array of them or of texts'

Document = Iterator[str]
"""A text in pieces. Only the end of the last piece is the end of the document."""


def documents(files: Iterable[Path], separator: str | None = None) -> Iterator[Document]:
    """The documents in ``files``, each to be read to its end before the next.

    A file is one, unless its name ends with .json, .jsonl or .ndjson: then it holds a document a line, or an array of
    them, or one; its content says which. ``separator`` cuts all of them further: where it stands, one document ends and
    another begins. It belongs to neither, nor does a line break right behind it.

    Raises:
        LabError: if a file cannot be read, is binary, is not UTF-8, or is JSON without a ``text``.
    """
    for file in files:
        for document in _json(file) if file.suffix.lower() in _JSON else iter([_pieces(file)]):
            yield from _split(document, separator) if separator else iter([document])


def own_documents(reference: str) -> Iterator[Document]:
    """The texts that a function of the user's own yields, each a document. It takes no arguments, and gives the same
    texts whenever it is called: what makes a token file is their content.

    Raises:
        LabError: if it fails, or yields something else than texts.
    """
    function = user_code.load("corpus.source", reference)
    try:
        for number, found in enumerate(function(), start=1):
            if not isinstance(found, str):
                raise LabError(
                    f"corpus.source={reference} yields {type(found).__name__} number {number}, and not a text"
                )
            found.encode("utf-8")
            yield iter([found])
    except LabError:
        raise
    except UnicodeEncodeError:
        raise LabError(f"corpus.source={reference}: half of a character stands in text {number}") from None
    except Exception as error:
        raise LabError(f"corpus.source={reference} fails ({user_code.where(error)})") from error


def _split(document: Document, separator: str) -> Iterator[Document]:
    """The documents between the separators in one."""
    end = re.compile(re.escape(separator) + r"(?:\r?\n)?")
    longest = len(separator) + 2
    held, start, more = "", 0, True

    def next_one() -> Document:
        nonlocal held, start, more
        while True:
            found = end.search(held, start)
            # What stands at the very end may go on in the next piece: a separator, or the line break behind one.
            if found and (not more or len(held) - found.end() >= 2):
                yield held[start : found.start()]
                start = found.end()
                return
            border = found.start() if found else max(start, len(held) - longest)
            yield held[start:border] if more else held[start:]
            if not more:
                start = -1
                return
            piece = next(document, None)
            more = piece is not None
            held, start = held[border:] + (piece or ""), 0

    while start >= 0:
        yield next_one()


def _pieces(file: Path) -> Iterator[str]:
    """``file`` as UTF-8, a megabyte at a time; a byte order mark at its start is not text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    mark = "\ufeff"
    try:
        with file.open("rb") as stream:
            refuse_utf16(stream.peek(2), file)
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
        raise not_utf8(file, position + error.start) from None
    except OSError as error:
        raise LabError(f"{file} cannot be read: {error.strerror}") from error


def _json(file: Path) -> Iterator[Document]:
    """The documents in a JSON file: one a line; or, where it begins with an array or with an object of several lines,
    one for each element, or one."""
    try:
        with file.open("rb") as binary:
            refuse_utf16(binary.peek(2), file)
            stream = io.TextIOWrapper(binary, encoding="utf-8-sig")
            lines = ((f"{file}, line {number}", line) for number, line in enumerate(stream, start=1) if line.strip())
            begins, first = next(lines, ("", ""))
            if first.lstrip().startswith("[") or (file.suffix.lower() == ".json" and not _is_json(first)):
                yield from _whole(first + stream.read(), file)
            elif first:
                for where, line in itertools.chain([(begins, first)], lines):
                    yield iter([_text(_parsed(line, where), where)])
    except UnicodeDecodeError as error:
        raise not_utf8(file, error.start) from None
    except OSError as error:
        raise LabError(f"{file} cannot be read: {error.strerror}") from error


def _whole(content: str, file: Path) -> Iterator[Document]:
    """The documents in an array, or in a single object."""
    found = _parsed(content, file) if content else []
    if not isinstance(found, list):
        yield iter([_text(found, file)])
        return
    for number, element in enumerate(found, start=1):
        yield iter([_text({"text": element} if isinstance(element, str) else element, f"{file}, element {number}")])


def _parsed(content: str, where: object) -> Any:
    try:
        return strict_json.loads(content)
    except ValueError as error:
        raise LabError(f"{where}: this is no JSON that can be read ({error}); {_EXPECTED}") from None


def _is_json(line: str) -> bool:
    try:
        strict_json.loads(line)
    except ValueError:
        return False
    return True


def _text(found: Any, where: object) -> str:
    text = found.get("text") if isinstance(found, dict) else None
    if not isinstance(text, str):
        raise LabError(f"{where}: {_EXPECTED}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise LabError(f"{where}: half of a character stands in the text; {_EXPECTED}") from None
    return text
