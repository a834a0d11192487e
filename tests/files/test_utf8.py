"""Text from outside is UTF-8, or is refused with the way to make it so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LabError
from lab.files import utf8


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_text_comes_back_without_its_mark(text: str, marked: bool) -> None:
    data = text.encode("utf-8-sig" if marked or text.startswith("\ufeff") else "utf-8")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    assert utf8.decode(data, "it") == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_recognised_by_its_mark(encoding: str) -> None:
    with pytest.raises(LabError, match=r"notes\.txt is not UTF-8 but UTF-16: .*iconv -f utf-16"):
        utf8.decode("\ufefffox".encode(encoding), "notes.txt")


def test_the_place_of_the_first_bad_byte_is_named() -> None:
    with pytest.raises(LabError, match=r"notes\.txt is not UTF-8 \(near byte 3\)"):
        utf8.decode(b"fox\xe9 and more", "notes.txt")
    utf8.refuse_utf16(b"fo", "it")  # no mark
    utf8.refuse_utf16(b"", "it")
