"""What is found out about files is kept for as long as they are the same, and not a moment longer."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.data import stamps
from lab.files.validation import parts, whole

KIND = parts({"length": whole()})


class Looking:
    """Finds out the length of some files, and counts how often."""

    def __init__(self, place: Path, *files: Path) -> None:
        self.place, self.files, self.looked = place, files, 0

    def find(self) -> dict[str, Any]:
        self.looked += 1
        return {"length": sum(len(file.read_bytes()) for file in self.files)}

    def __call__(self) -> int:
        return int(stamps.once(self.place, self.files, KIND, self.find)["length"])


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are old enough to be told apart by their times at once."""
    monkeypatch.setattr(stamps, "_SETTLED", -1_000_000_000)


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"de")
    return Looking(tmp_path / "kept.json", tmp_path / "a", tmp_path / "b")


@pytest.mark.usefixtures("settled")
def test_it_is_found_out_once(looking: Looking) -> None:
    assert [looking(), looking(), looking()] == [5, 5, 5]
    assert looking.looked == 1


def longer(file: Path) -> None:
    file.write_bytes(b"abcd")


def of_the_same_length_and_time(file: Path) -> None:
    before = file.stat()
    file.write_bytes(b"xyz")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def another_in_its_place(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(b"xyz")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", [longer, of_the_same_length_and_time, another_in_its_place])
def test_a_change_is_noticed(looking: Looking, change: Callable[[Path], None]) -> None:
    looking()
    change(looking.files[0])
    looking()
    assert looking.looked == 2
    looking()
    assert looking.looked == 2


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", ["", "{", "[]", '{"stamp": 7}', '{"stamp": "x", "facts": {"length": 99}}'])
def test_what_was_kept_is_checked(looking: Looking, content: str) -> None:
    looking()
    looking.place.write_text(content)
    assert looking() == 5
    kept = json.loads(looking.place.read_text())
    looking.place.write_text(json.dumps({**kept, "facts": {"length": "many"}}))
    assert looking() == 5
    assert looking.looked == 3


def test_what_has_just_been_written_is_looked_at_again(looking: Looking) -> None:
    """It could be written to once more within the same tick of the file system's clock."""
    assert [looking(), looking()] == [5, 5]
    assert looking.looked == 2
    assert not looking.place.exists()


@pytest.mark.usefixtures("settled")
def test_what_changes_meanwhile_is_not_kept(looking: Looking) -> None:
    find = looking.find

    def slow() -> dict[str, Any]:
        found = find()
        longer(looking.files[0])
        return found

    assert stamps.once(looking.place, looking.files, KIND, slow) == {"length": 5}
    assert looking() == 6


@pytest.mark.usefixtures("settled")
def test_it_works_where_nothing_can_be_kept(looking: Looking, tmp_path: Path) -> None:
    looking.place = tmp_path / "a" / "kept.json"
    assert [looking(), looking()] == [5, 5]


def test_of_no_files_nothing_is_kept(tmp_path: Path) -> None:
    assert stamps.stamp([]) is None
