"""What comes over the network as JSON, in the narrow sense."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.dashboard.http_errors import ApiError
from lab.dashboard.request_json import parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.booleans())
def test_what_fits_arrives_as_it_is(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse(text) == parse(text.encode()) == value


@pytest.mark.parametrize(
    ("content", "said", "field"),
    [
        ('{"a": {"lr": NaN}}', "lr has a number that 64 bits cannot hold", "lr"),
        ('{"lr": 1e400}', "64 bits", "lr"),
        ('{"lr": [9223372036854775808]}', "64 bits", "lr"),
        ('{"lr": -9223372036854775809}', "64 bits", "lr"),
        ("9" * 100_000, "the request has a number", None),
        ('{"note": "\\ud83e"}', "note is not a text: half a character", "note"),
        ('{"a": {"\\ud83e": 1}}', "half a character", "a"),
        ("[" * 100_000, "too deep", None),
        ("[" * 40 + "]" * 40, "too deep", None),
        (b'"\xff"', "not UTF-8", None),
        ('"a"'.encode("utf-16"), "not UTF-8", None),
        ("{", "not JSON", None),
    ],
    ids=range(12),
)
def test_what_does_not_is_refused_at_its_field(content: str | bytes, said: str, field: str | None) -> None:
    with pytest.raises(ApiError, match=said) as refused:
        parse(content)
    assert (refused.value.status, refused.value.field) == (422, field)
