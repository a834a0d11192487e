"""What is read from the files of a corpus: documents, in pieces of bounded size."""

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.data import compressed, json_documents, parquet
from lab.data.text_files import SUFFIXES, bundled_folder, find_files, stdlib_files
from lab.errors import LabError
from lab.files import user_code
from lab.files.utf8 import not_utf8, refuse_utf16

__all__ = ["SUFFIXES", "Document", "bundled_folder", "documents", "find_files", "own_documents", "stdlib_files"]

_PIECE = 1 << 20  # bytes read at a time

Document = Iterator[str]
"""A text in pieces. Only the end of the last piece is the end of the document."""


def documents(files: Iterable[Path], separator: str | None = None, column: str = "text") -> Iterator[Document]:
    """The documents in ``files``, each to be read to its end before the next.

    A file is one, unless its name ends with .json, .jsonl, .ndjson or .parquet: then it holds one in the field or
    column ``column`` of each line, element or row (see ``json_documents``). Of .gz and .zst, what was packed counts.
    ``separator`` cuts all of them further: where it stands, one document ends and another begins. It belongs to
    neither, nor does a line break right behind it.

    Raises:
        LabError: if a file cannot be read, is torn, binary or not UTF-8, or has no text where one must be.
    """
    for file in files:
        yield from apart(_in_file(file, column), separator)


def apart(documents: Iterable[Document], separator: str | None) -> Iterator[Document]:
    """The documents, each cut where ``separator`` stands, if there is one."""
    for document in documents:
        yield from _split(document, separator) if separator else iter([document])


def _in_file(file: Path, column: str) -> Iterator[Document]:
    match compressed.ending(file):
        case ".json" | ".jsonl" | ".ndjson":
            return map(in_pieces, json_documents.texts(file, column))
        case parquet.ENDING:
            return (in_pieces(text) for _, text in parquet.texts(file, column))
        case _:
            return iter([_pieces(file)])


def in_pieces(text: str) -> Document:
    """A text that is there already, in pieces that are as bounded as those of a file."""
    return (
        (text[start : start + _PIECE] for start in range(0, len(text), _PIECE)) if len(text) > _PIECE else iter([text])
    )


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
        with compressed.opened(file) as stream:
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
