"""Files of run folders: opened for what they are, read as what JSON can say."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LabError
from lab.files import safe_files
from lab.files.safe_files import entries, number, opened, plain, read_json, read_object, readable, refuse_replacing


def test_only_a_plain_file_is_opened_and_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    with opened(tmp_path / "file") as file:
        assert file.read() == b"mine"
    for name in ("link", "pipe", ".", "nothing"):
        with pytest.raises(OSError, match=r"\w"):
            opened(tmp_path / name)


def test_what_is_damaged_reads_as_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    assert read_json(path) == {}
    for content in ("", "[1]", "{", '{"a": ' + "9" * 30 + "}", '{"a":' * 40 + "1" + "}" * 40, "\xff"):
        path.write_text(content, encoding="latin-1")
        assert read_json(path) == {}, content
    path.write_text('{"a": [1, 2.5, null, true, "ü"]}', encoding="utf-8")
    assert read_json(path) == {"a": [1, 2.5, None, True, "ü"]}
    monkeypatch.setattr(safe_files, "MOST_BYTES", path.stat().st_size)
    assert read_json(path) != {}
    monkeypatch.setattr(safe_files, "MOST_BYTES", path.stat().st_size - 1)
    assert read_json(path) == {}


def test_a_parser_may_stumble_in_any_way(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")

    def parse(_: bytes) -> Any:
        raise RecursionError

    assert read_object(tmp_path / "a", parse) == {}
    assert read_object(tmp_path / "a", lambda content: {1: content}) == {"1": "b'x'"}


def test_values_become_values_of_json() -> None:
    odd = {1: math.nan, "a": (math.inf, {2}), "b": "half \ud800", "c": Path("x"), "d": True}
    assert plain(odd) == {"1": "NaN", "a": ["Infinity", [2]], "b": "half \ufffd", "c": "x", "d": True}
    circle: list[Any] = []
    circle.append(circle)
    for bad in (circle, [0] * 200_001, 2**63, -(2**63) - 1):
        with pytest.raises(ValueError, match=r"too deep or too large|beyond 64 bits"):
            plain(bad)
    assert plain([2**63 - 1, -(2**63)]) == [2**63 - 1, -(2**63)]
    deepest: Any = 0
    for _ in range(32):
        deepest = [deepest]
    assert plain(deepest) == deepest
    with pytest.raises(ValueError, match="too deep"):
        plain([deepest])


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_what_is_readable_is_utf8_and_else_as_it_was(text: str) -> None:
    found = readable(text)
    assert len(found.encode("utf-8").decode("utf-8")) <= len(text)
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert found == text
    assert json.loads(json.dumps(plain(text))) == found


def test_a_number_is_finite_and_no_text() -> None:
    assert (number(3), number(-2.5)) == (3.0, -2.5)
    for odd in (math.nan, math.inf, "3", None, 10**400, [1]):
        assert number(odd) is None


def test_entries_of_a_link_to_a_folder_are_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").touch()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    assert [entry.name for entry in entries(tmp_path / "folder")] == ["a"]
    assert entries(tmp_path / "link") == entries(tmp_path / "folder" / "a") == entries(tmp_path / "nothing") == []


def test_only_a_file_of_its_own_is_replaced(tmp_path: Path) -> None:
    mine, theirs, link = (tmp_path / name for name in ("mine.json", "theirs.json", "link.json"))
    mine.write_text('{"cases": [], "machine": {}, "more": 1}')
    theirs.write_text('{"cases": []}')
    link.symlink_to(tmp_path / "nowhere.json")
    for free in (tmp_path / "new.json", mine):
        refuse_replacing(free, {"machine", "cases"})
    for taken in (theirs, link, tmp_path):
        with pytest.raises(LabError, match="is there already and left as it is"):
            refuse_replacing(taken, {"machine", "cases"})
    with pytest.raises(LabError):
        refuse_replacing(mine)
