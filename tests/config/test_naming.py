"""What a run may be called."""

from typing import Any

import pytest

from lab.config import compose, quoting
from lab.config.naming import check_naming
from lab.config.schema import check
from lab.errors import LabError


@pytest.mark.parametrize(
    ("naming", "sentence"),
    [
        (("x" * 121, (), ""), "name=.* has 121 characters: at most 120 are kept"),
        (("a\x1b[2J", (), ""), r"name=a\\x1b\[2J has characters that cannot be seen: leave them out"),
        (("cod\u202ecexe", (), ""), "cannot be seen"),
        (("a\udcff", (), ""), "not UTF-8"),
        (("", ["t" * 41], ""), "tags=.* has 41 characters"),
        (("", ["a", " "], ""), "tags= has an empty one"),
        (("", ["a"] * 21, ""), "tags= are 21: give at most 20"),
        (("", (), "x" * 10_001), "notes=.* has 10,001 characters"),
    ],
)
def test_what_no_list_can_hold_is_refused(naming: Any, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        check_naming(*naming)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["name=a, b: ${c} 'd'", "notes=null", "tags=night"], ("a, b: ${c} 'd'", ["night"], "null")),
        (
            ["name=123", "notes=line\nline", "tags=[lr sweep, a=b,2026]"],
            ("123", ["lr sweep", "a=b", "2026"], "line\nline"),
        ),
        (["tags=a,b"], ("", ["a", "b"], "")),
        (["tags=['a,b',c]"], ("", ["a,b", "c"], "")),
        (["tags=null", "name="], ("", None, "")),
    ],
)
def test_it_is_taken_as_it_is_typed(words: list[str], expected: Any) -> None:
    config = check(compose.compose_quoted(quoting.quote_literals(words)))
    assert (config.name, config.tags, config.notes) == expected
