"""What a run is called: by its command, and by whoever renames it."""

import json
import multiprocessing
from pathlib import Path

from lab.config.schema import Config
from lab.runs.folder import write_config
from lab.runs.notes import Notes, change_notes, keep_typed, read_notes


def test_one_field_changes_and_the_others_stay(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == Notes()
    change_notes(tmp_path, name="bold", tags=["a"])
    assert change_notes(tmp_path, note="x") == Notes("bold", ("a",), "x")
    assert read_notes(tmp_path) == Notes("bold", ("a",), "x")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]


def test_a_file_from_anywhere(tmp_path: Path) -> None:
    def said(**fields: object) -> Notes:
        (tmp_path / "notes.json").write_text(json.dumps(fields))
        return read_notes(tmp_path)

    assert said(name=["bold"], tags="a", more=1, note="x") == Notes(note="x")
    assert said(name="a\n\u202eb\ud800", tags=[3, "t" * 99, "\x00", "t" * 50]) == Notes("a b\ufffd", ("t" * 40,))
    assert len(said(name="x" * 10_000_000, note="y" * 20_000, tags=[str(n) for n in range(99)]).tags) == 20
    (tmp_path / "notes.json").write_text("[")
    assert read_notes(tmp_path) == Notes()
    (tmp_path / "elsewhere").write_text('{"name": "secret"}')
    (tmp_path / "notes.json").unlink()
    (tmp_path / "notes.json").symlink_to(tmp_path / "elsewhere")
    assert read_notes(tmp_path) == Notes()
    change_notes(tmp_path, name="mine")
    assert (tmp_path / "elsewhere").read_text() == '{"name": "secret"}'


def begun(folder: Path, **naming: object) -> Notes:
    """A run begins in ``folder``."""
    config = Config(**naming)  # type: ignore[arg-type]
    keep_typed(folder, config)
    write_config(folder, config)
    return read_notes(folder)


def test_what_was_renamed_since_is_not_named_back(tmp_path: Path) -> None:
    change_notes(tmp_path, name="renamed", note="mine")  # while it waited
    assert begun(tmp_path, name="typed", tags=["a"]) == Notes("renamed", ("a",), "mine")
    change_notes(tmp_path, tags=["b"])
    assert begun(tmp_path, name="typed", tags=["a"]) == Notes("renamed", ("b",), "mine")  # the same command again
    assert begun(tmp_path, name="new", notes="other") == Notes("new", ("b",), "other")  # typed anew
    assert begun(tmp_path) == Notes("new", ("b",), "other")


def test_a_run_without_a_name_leaves_no_file(tmp_path: Path) -> None:
    assert begun(tmp_path) == Notes()
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def _change(folder: Path, field: str) -> None:
    for number in range(30):
        change_notes(folder, **{field: f"{field} {number}"})


def test_two_who_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    for _ in range(3):
        both = [
            multiprocessing.get_context("fork").Process(target=_change, args=(tmp_path, f)) for f in ("name", "note")
        ]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert read_notes(tmp_path) == Notes("name 29", (), "note 29")
        (tmp_path / "notes.json").unlink()
