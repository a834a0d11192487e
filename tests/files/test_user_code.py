"""Code out of a user's own file: only when he has named it, and with his mistakes in one sentence."""

import os
import sys
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.files import user_code


def test_what_is_a_reference() -> None:
    assert user_code.is_reference("my_idea.py:GatedMLP")
    assert user_code.split("C:\\ideas\\a b.py:Über") == ("C:\\ideas\\a b.py", "Über")
    for value in ("gelu", ".py:A", "a.py", "a.py:", "a.py:1", "a.txt:A", None, 3):
        assert not user_code.is_reference(value)


def test_a_file_is_known_by_its_name_as_long_as_it_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text("import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 3\n")
    with user_code.allowed([tmp_path / "idea.py"]):
        assert user_code.load("model.norm", "elsewhere/idea.py:A")().x == 3
        with pytest.raises(LabError, match=r"there is no B in idea\.py; it has A$"):
            user_code.load("model.norm", "idea.py:B")
    with pytest.raises(LabError, match=r"give the file again, with parts=idea\.py"):
        user_code.load("model.norm", "idea.py:A")


def test_a_file_that_was_changed_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even within a second, and where Python keeps bytecode, which it knows by that second and the file's length."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    idea = tmp_path / "idea.py"
    for value in (1, 2):
        idea.write_text(f"X = {value}\n")
        os.utime(idea, (10**9, 10**9))
        with user_code.allowed([idea]):
            assert user_code.load("a", "idea.py:X") == value
    assert os.listdir(tmp_path) == ["idea.py"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("import nothing_of_that_name", r"idea\.py, line 1, does not run \(ModuleNotFoundError"),
        ("x = 1\nif x\n", r"idea\.py, line 2, does not run \(SyntaxError"),
        ("x = 1\nraise SystemExit(3)\n", r"idea\.py, line 2, does not run \(SystemExit"),
    ],
)
def test_a_file_that_fails_is_one_sentence(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text(content)
    with pytest.raises(LabError, match=said), user_code.allowed([tmp_path / "idea.py"]):
        pass


def test_a_missing_file_and_two_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be read"), user_code.allowed([tmp_path / "idea.py"]):
        pass
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "idea.py").write_text("")
    both = [tmp_path / folder / "idea.py" for folder in ("a", "b")]
    with pytest.raises(LabError, match="the same name"), user_code.allowed(both):
        pass
