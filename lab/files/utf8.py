"""Text that comes from outside is UTF-8; a byte order mark in front of it is not text."""

import codecs

from lab.errors import LabError


def decode(data: bytes, name: object) -> str:
    """``data`` as text, without a byte order mark. ``name`` is what it is called in messages.

    Raises:
        LabError: if it is not UTF-8.
    """
    refuse_utf16(data, name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(name, error.start) from None


def refuse_utf16(beginning: bytes, name: object) -> None:
    """Recognises the other encoding in use by its own mark: old Windows programs write it.

    Raises:
        LabError: if ``beginning``, two bytes or more, has the mark.
    """
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise LabError(f"{name} is not UTF-8 but UTF-16: convert it, for example with `iconv -f utf-16 -t utf-8`")


def not_utf8(name: object, position: int) -> LabError:
    """The sentence for something that stops being UTF-8 near byte ``position``."""
    return LabError(
        f"{name} is not UTF-8 (near byte {position}): convert it, for example with `iconv -f latin1 -t utf-8`"
    )
