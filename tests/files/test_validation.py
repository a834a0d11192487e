"""What plain values must be, said once, and nothing converted on the way."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.files import validation
from lab.files.validation import (
    LARGEST,
    Kind,
    Lacking,
    Unfit,
    bounded,
    nothing_or,
    number,
    parts,
    plain,
    rows,
    said,
    switch,
    table,
    text,
    whole,
)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (whole(), [0, 7, LARGEST], [-1, LARGEST + 1, True, 2.0, "2", None]),
        (whole(2, 5), [2, 5], [1, 6]),
        (number(), [0, -1.5, 1e308, 10**300], [math.nan, math.inf, -math.inf, True, "1", None, 10**400]),
        (number(0), [0, 0.0, 2], [-1e-9]),
        (number(0, 1), [0, 1], [1.0001]),
        (number(0, infinite=True), [math.inf, 10**400], [math.nan, -math.inf]),
        (text(3), ["", "fox"], ["foxy", b"fox", 3, None]),
        (switch, [True, False], [1, 0, "true", None]),
        (nothing_or(whole()), [None, 3], [-1, "x"]),
        (rows(whole()), [[], [1, 2]], ["12", {1: 2}, [1, "x"], None]),
        (rows(whole(), 2), [[1, 2]], [[1], [1, 2, 3]]),
        (table(whole()), [{}, {"a": 1}], [{"a": "x"}, {1: 1}, [], None]),
    ],
    ids=["whole", "within", "number", "least", "share", "infinite", "text", "switch", "or", "rows", "pair", "table"],
)
def test_each_kind_takes_what_it_is_and_nothing_else(kind: Kind, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        found = kind(value, "it")
        assert found == value
        assert type(found) is type(value)
    for value in bad:
        with pytest.raises(Unfit, match=r"^it"):
            kind(value, "it")


def test_a_tuple_becomes_a_list() -> None:
    assert rows(whole())((1, 2), "it") == [1, 2]


def test_the_sentence_says_where_what_and_what_it_must_be() -> None:
    record = parts({"step": whole(), "losses": rows(number(0))})
    with pytest.raises(Unfit, match=r"^state\.losses\[1\] is 'x', and must be a number, at least 0$"):
        record({"step": 1, "losses": [0.5, "x"]}, "state")
    with pytest.raises(Lacking, match=r"^no state\.step$"):
        record({"losses": []}, "state")
    with pytest.raises(Lacking):
        record({"step": None, "losses": []}, "state")
    with pytest.raises(Unfit, match=r"at least 2 and at most 5$"):
        whole(2, 5)(9, "it")
    with pytest.raises(Unfit, match=r"a whole number, at least 0$"):
        whole()(-1, "it")
    with pytest.raises(Unfit, match=r"a number, at most 3$"):
        number(high=3)(4, "it")


def test_parts_that_nobody_asked_for_are_left_out_or_of_a_kind() -> None:
    assert parts({"a": whole()}, {"b": text()})({"a": 1, "b": "x", "c": object()}, "") == {"a": 1, "b": "x"}
    assert parts({"a": whole()}, others=plain)({"a": 1, "c": [1.5]}, "") == {"a": 1, "c": [1.5]}
    with pytest.raises(Unfit, match=r"^c is something else"):
        parts({"a": whole()}, others=plain)({"a": 1, "c": object()}, "")
    with pytest.raises(Unfit, match=r"^b is 3"):
        parts({}, {"b": text()})({"b": 3}, "")


def test_plain_values_are_plain_to_the_last() -> None:
    value = {"a": [1, (2.5, "x"), {"b": None}], "c": True, "d": 2**1024 - 1}
    assert plain(value, "it") == value
    for bad in (object(), {1: 2}, {"a": b""}, 2**1024, [{"a": {1}}]):
        with pytest.raises(Unfit):
            plain(bad, "it")
    with pytest.raises(Unfit, match=r"it\[0\]\[0\] is a list"):
        plain([[[]]], "it", deepest=2)
    assert plain([b"x"], "it", leaf=lambda value, where: (value, where)) == [(b"x", "it[0]")]


def test_a_walk_through_circles_and_multiplied_lists_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)
    many: Any = [0] * 1000
    for _ in range(3):
        many = [many] * 1000
    for value in (circle, many, [[0] * 6]):
        with pytest.raises(Unfit, match="more than"):
            bounded(value, 7)
    bounded([[0] * 5], 7)
    bounded({"a": [1, {"b": 2}]})


@settings(max_examples=60, deadline=None)
@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none()) | st.binary())
def test_a_value_is_said_in_a_few_printable_letters(value: Any) -> None:
    told = said(value)
    assert told.isascii()
    assert told.isprintable()
    assert len(told) <= 500
    assert said(validation.LARGEST) == "a huge number"
    assert said("x" * 41) == "a long text"


def test_a_place_is_named_whatever_somebody_calls_it() -> None:
    assert validation.inside("", "step") == "step"
    assert validation.inside("state", "a.b") == "state.a.b"
    assert validation.inside("state", "a b\n") == "state.'a b\\n'"
    assert validation.inside("state", "x" * 90) == "state.a long text"
