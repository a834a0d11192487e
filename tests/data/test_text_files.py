"""Which files a path names."""

import os
import subprocess
from pathlib import Path

import pytest
from support.commands import ROOT

from lab.data.corpus import bundled_folder, documents, find_files, stdlib_files
from lab.errors import LabError


def texts(*files: Path, separator: str | None = None) -> list[str]:
    return ["".join(document) for document in documents(files, separator)]


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"this is {name}", encoding="utf-8")


def found(path: str, folder: Path) -> list[str]:
    return [str(file.relative_to(folder)) for file in find_files(path, folder)]


def test_a_file_by_any_name(tmp_path: Path) -> None:
    lay(tmp_path, "notes.log", ".secret")
    assert found("notes.log", tmp_path) == ["notes.log"]
    assert found(".secret", tmp_path) == [".secret"]
    assert find_files(str(tmp_path / "notes.log"), Path("/elsewhere")) == [tmp_path / "notes.log"]


def test_a_folder_gives_its_texts_in_the_order_of_their_names(tmp_path: Path) -> None:
    wanted = ["a.txt", "b/c.md", "b/d/e.py", "b.jsonl", "b.NDJSON", "z.TXT"]
    lay(tmp_path, *wanted, "image.png", "no-suffix", "a.txt.bak", ".hidden.txt", ".git/x.txt", "b/.venv/y.py")
    (tmp_path / "folder.txt").mkdir()
    files = find_files(".", tmp_path)
    assert {file.relative_to(tmp_path).as_posix() for file in files} == set(wanted)
    assert files == sorted(files)


def test_a_folder_inside_a_hidden_one_can_be_named_outright(tmp_path: Path) -> None:
    lay(tmp_path, ".notes/a.txt")
    assert found(".notes", tmp_path) == [".notes/a.txt"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("[b-z].txt", ["b.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "deep/er/c.txt"]),
        ("deep/*", ["deep/d.log"]),  # a match may have any suffix, but must be a file
    ],
)
def test_a_pattern_gives_its_matches(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    lay(tmp_path, "b.txt", "a.txt", "deep/er/c.txt", "deep/d.log")
    assert found(pattern, tmp_path) == expected


def test_a_path_that_exists_is_not_a_pattern(tmp_path: Path) -> None:
    lay(tmp_path, "a[1].txt", "a1.txt", "notes [old]/n.txt")
    assert found("a[1].txt", tmp_path) == ["a[1].txt"]
    assert found("notes [old]", tmp_path) == ["notes [old]/n.txt"]


def test_a_pattern_can_be_used_in_a_folder_with_brackets(tmp_path: Path) -> None:
    folder = tmp_path / "notes [old]"
    lay(folder, "a.txt")
    assert found("*.txt", folder) == ["a.txt"]


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    lay(tmp_path, "a.txt")
    assert find_files("~/a.txt", Path("/elsewhere")) == [tmp_path / "a.txt"]


@pytest.mark.parametrize("path", ["nothing.txt", "*.txt", "empty"])
def test_nothing_to_be_found_is_an_error_that_says_where(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "image.png").touch()
    with pytest.raises(LabError, match=r"corpus\.path") as caught:
        find_files(path, tmp_path)
    assert str(tmp_path / path) in str(caught.value)


def test_the_bundled_fables_are_there() -> None:
    files = find_files("fables", bundled_folder())
    assert len(files) == 84
    assert all(text.strip() for text in texts(*files))


def test_a_clone_has_the_same_fables_whatever_git_is_set_to(tmp_path: Path) -> None:
    command = ["git", "clone", "-q", "-c", "core.autocrlf=true", str(ROOT), str(tmp_path / "clone")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("not a git clone")
    cloned = find_files("fables", tmp_path / "clone" / "corpora")
    assert [file.read_bytes() for file in cloned] == [f.read_bytes() for f in find_files("fables", bundled_folder())]


def test_the_standard_library_without_its_tests() -> None:
    files = stdlib_files()
    names = {file.name for file in files}
    assert {"argparse.py", "dataclasses.py"} <= names
    assert files == sorted(files)
    skipped = {"test", "tests", "idle_test", "site-packages", "dist-packages"}
    root = Path(os.__file__).parent
    assert not any(skipped.intersection(file.relative_to(root).parts) for file in files)
    assert sum(file.stat().st_size for file in files) > 1_000_000
    assert all(text is not None for text in texts(*files[:50]))
