"""The files of a user's own that a command line names: those that he typed, and no others."""

from pathlib import Path

import pytest

from lab.config import compose, quoting, typed_code
from lab.errors import LabError
from lab.files import user_code


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("model.norm=idea.py:A", ["idea.py:A"]),
        ("optimizer._target_=My ideas (2)/é.py:A", ["My ideas (2)/é.py:A"]),
        ("schedule.name=cosine,idea.py:a,b/other.py:c", ["idea.py:a", "b/other.py:c"]),
        ("+callbacks.mine._target_='a,b.py:Mine'", ["a,b.py:Mine"]),
        ("+metrics.mine=idea.py:fn", ["idea.py:fn"]),
        ("+metrics.mine._target_=idea.py:Fn", ["idea.py:Fn"]),
        ("corpus.source=idea.py:texts", ["idea.py:texts"]),
        ("sample.prompt=idea.py:A", []),  # a text, which names nothing
        ("model.norm=layernorm", []),
    ],
)
def test_an_option_that_may_name_code_does(word: str, found: list[str]) -> None:
    assert typed_code.references(["model=nano", word]) == found


def test_files_are_looked_for_where_they_were_typed(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.py").write_text(f"NAME = '{name}'\n")
    with typed_code.allowed(["optimizer._target_=one.py:NAME"], ["two.py"], tmp_path):
        assert user_code.load("x", "one.py:NAME") == "one"
        assert user_code.load("x", "two.py:NAME") == "two"
        with pytest.raises(LabError, match=r"parts=three\.py"):
            user_code.load("x", "three.py:NAME")
    with (
        pytest.raises(LabError, match=r"none\.py cannot be read"),
        typed_code.allowed(["schedule.name=none.py:f"], None, tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("my idea, (2).py", ["my idea, (2).py"]),
        ("[a.py,b/c.py]", ["a.py", "b/c.py"]),
        ("null", None),
    ],
)
def test_parts_is_a_file_or_a_list_of_them(typed: str, parts: list[str] | None) -> None:
    assert compose.compose_quoted(quoting.quote_literals([f"parts={typed}"])).parts == parts
