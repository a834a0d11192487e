"""The documents in a JSON file: one a line; or, where it begins with an array or with an object of several lines, one
for each element, or one. What is held at a time is one of them, whatever the size of the file."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.data import compressed
from lab.errors import LabError
from lab.files import strict_json
from lab.files.utf8 import not_utf8, refuse_utf16
from lab.files.validation import said

_LONGEST = 128 << 20
"""Bytes of a line, or characters of an element, that are taken: JSON is not known before its end has been read."""

_PIECE = 1 << 20
_BOM = b"\xef\xbb\xbf"
_BLANK = " \t\r\n"


def texts(file: Path, field: str) -> Iterator[str]:
    """The texts in ``field`` of the objects in ``file``, also of a packed one. An array may have plain texts in it.

    Raises:
        LabError: naming the line or the element that is no such object.
    """
    position = 0
    try:
        with compressed.opened(file) as stream:
            refuse_utf16(stream.peek(2), file)
            if stream.peek(3).startswith(_BOM):
                stream.read(3)
            number = _skip_blanks(stream)
            if stream.peek(1)[:1] == b"[":
                text = io.TextIOWrapper(stream, encoding="utf-8")
                yield from _elements(text, file, field)
                text.detach()  # whoever has opened the stream closes it
                return
            is_first = True
            while line := stream.readline(_LONGEST + 1):
                if len(line) > _LONGEST:
                    raise _too_long(f"{file}, line {number}")
                content = _decoded(line, position, file)
                position, line = position + len(line), b""
                if is_first and compressed.ending(file) == ".json" and not _is_json(content):
                    yield _whole(content, stream, file, field)
                    return
                is_first = is_first and content.isspace()
                # Where old programs end a line; JSON has none inside a text.
                parts = content.split("\r") if "\r" in content else [content]
                content = ""  # a line may be long: nothing of it is held twice
                while parts:
                    if not (part := parts.pop(0)).isspace() and part:
                        found, part = _parsed(part, f"{file}, line {number}", field), ""
                        yield _text(found, f"{file}, line {number}", field)
                number += 1
    except UnicodeDecodeError as error:
        raise not_utf8(file, error.start) from None
    except OSError as error:
        raise LabError(f"{file} cannot be read: {error.strerror}") from error


def _skip_blanks(stream: io.BufferedReader) -> int:
    """Goes to where something stands. Returns the number of that line."""
    number = 1
    while (sign := stream.peek(1)[:1]) and sign.decode("latin1") in _BLANK:
        number += stream.read(1) == b"\n"
    return number


def _decoded(line: bytes, position: int, file: Path) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(file, position + error.start) from None


def _whole(content: str, stream: io.BufferedReader, file: Path, field: str) -> str:
    """A single object of several lines, whose first line is ``content``."""
    rest = stream.read(_LONGEST + 1)
    if len(rest) > _LONGEST:
        raise _too_long(str(file))
    return _text(_parsed(content + rest.decode("utf-8"), file, field), file, field)


class _Reader:
    """An array, value by value: no more of it is held than one takes."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._held, self._at = "", 0

    def sign(self) -> str:
        """The next sign that is no blank; nothing at the end of the file."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            self._held, self._at = self._stream.read(_PIECE), 0
            if not self._held:
                return ""

    def take(self) -> str:
        """``sign``, which is then behind us."""
        found = self.sign()
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value. Raises ValueError if it is none, OverflowError if it has no end for too long."""
        self.sign()
        while True:
            try:
                found, self._at = strict_json.first(self._held, self._at)
                return found
            except ValueError:
                length = len(self._held) - self._at
                if length > _LONGEST:
                    raise OverflowError from None
                # As much again as there is: what has no end yet is not parsed once for each megabyte.
                if not (more := self._stream.read(max(_PIECE, length))):
                    raise
                self._held, self._at = self._held[self._at :] + more, 0


def _elements(stream: io.TextIOWrapper, file: Path, field: str) -> Iterator[str]:
    """The texts in an array, which may be longer than the memory."""
    reader, number = _Reader(stream), 0
    reader.take()
    while number or reader.sign() != "]":
        number += 1
        where = f"{file}, element {number}"
        try:
            found = reader.value()
        except OverflowError:
            raise _too_long(where) from None
        except ValueError as error:
            raise _no_json(where, error, field) from None
        yield _text({field: found} if isinstance(found, str) else found, where, field)
        if reader.sign() == "]":
            break
        if reader.take() != ",":
            raise _no_json(where, "neither a comma nor the end of the array stands behind it", field)
    reader.take()
    if reader.sign():
        raise _no_json(file, "something stands behind the end of the array", field)


def _parsed(content: str, where: object, field: str) -> Any:
    try:
        return strict_json.loads(content)
    except ValueError as error:
        raise _no_json(where, error, field) from None


def _is_json(line: str) -> bool:
    try:
        strict_json.loads(line)
    except ValueError:
        return False
    return True


def _text(found: Any, where: object, field: str) -> str:
    if not isinstance(found, dict):
        raise LabError(f"{where}: {_expected(field)}")
    if field not in found:
        known = ", ".join(list(found)[:8])
        raise LabError(
            f"{where}: {_expected(field)}"
            + (f"; its fields are {known:.200}: corpus.column= takes another" if known else "")
        )
    text = found[field]
    if not isinstance(text, str):
        raise LabError(f'{where}: {_expected(field)}, and "{field}" is {said(text)}')
    try:
        for start in range(0, len(text), _PIECE):
            text[start : start + _PIECE].encode("utf-8")
    except UnicodeEncodeError:
        raise LabError(f"{where}: half of a character stands in the text; {_expected(field)}") from None
    return text


def _expected(field: str) -> str:
    return f'expected a JSON object like {{"{field}": "..."}}, or an array of them or of texts'


def _no_json(where: object, reason: object, field: str) -> LabError:
    return LabError(f"{where}: this is no JSON that can be read ({reason}); {_expected(field)}")


def _too_long(where: str) -> LabError:
    return LabError(
        f"{where}: it is longer than {_LONGEST:,} bytes, which JSON would have to be held in memory as a whole: a text "
        "of that length belongs into a .txt file of its own"
    )
