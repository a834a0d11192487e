"""JSON as its standard has it: what is written every reader understands, and what is read cannot stumble."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.files import strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def refuse(word: str) -> None:
    """For what ``json`` takes although it is no JSON."""
    raise AssertionError(word)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.booleans())
def test_whatever_is_written_is_json_for_every_reader(value: Any, ascii_only: bool) -> None:
    text = strict_json.dumps(value, ascii_only=ascii_only)
    assert json.loads(text, parse_constant=refuse) == strict_json.named(value)
    assert not ascii_only or text.isascii()


def test_what_is_no_number_goes_by_its_name_and_comes_back() -> None:
    told = strict_json.loads(strict_json.dumps({"a": [math.nan, (math.inf,)], "b": -math.inf, "c": 1.5}))
    assert told == {"a": ["NaN", ["Infinity"]], "b": "-Infinity", "c": 1.5}
    assert math.isnan(strict_json.number("NaN"))
    assert (strict_json.number("Infinity"), strict_json.number("-Infinity")) == (math.inf, -math.inf)
    assert (strict_json.number("nan"), strict_json.number("7"), strict_json.number(7)) == ("nan", "7", 7)


def test_an_indent_is_passed_on() -> None:
    assert strict_json.dumps({"a": 1}, indent=2) == '{\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deep"),
        ("9" * 10_000, "too many digits"),
        ("{", "Expecting"),
        (b'"\xff"', "decode"),
        ("", "Expecting"),
    ],
    ids=["deep", "long", "torn", "bytes", "empty"],
)
def test_what_cannot_be_read_is_a_value_error(text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        strict_json.loads(text)
