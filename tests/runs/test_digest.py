"""A checksum that any change changes, and nothing else."""

import hashlib
import math
import struct
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.runs.digest import digest

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def form(value: Any) -> Any:
    """An independent notation in which values are equal only if all of their bits are."""
    if isinstance(value, dict):
        return "dict", [(form(key), form(item)) for key, item in value.items()]
    if isinstance(value, list):
        return "list", [form(item) for item in value]
    return type(value).__name__, struct.pack("<d", value) if type(value) is float else value


@settings(max_examples=80, deadline=None)
@given(PLAIN, PLAIN)
def test_equal_exactly_if_the_values_are(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (form(one) == form(other))
    assert digest(one) == digest(one)


def test_values_that_look_alike_are_not() -> None:
    alike: list[Any] = [1, 1.0, True, "1", [1], (1,), {"1": 1}, {1: "1"}, [], {}, None, "", 0, 0.0, -0.0, math.nan]
    alike += [["ab", "c"], ["a", "bc"], [["a"], "bc"], {"a": 1, "b": 2}, {"b": 2, "a": 1}]
    assert len({digest(value) for value in alike}) == len(alike)


def test_tensors_by_their_bits_type_and_shape() -> None:
    base = torch.arange(6, dtype=torch.float32)
    different = [base, base.view(2, 3), base.view(3, 2), base.double(), base.int(), base + 1, base.neg(), base[:5]]
    assert len({digest(tensor) for tensor in different}) == len(different)
    assert digest(base.view(2, 3).t()) == digest(base.view(2, 3).t().contiguous())  # not where they lie in memory
    assert digest(base[::2]) == digest(base[::2].clone())
    assert digest(torch.tensor(1.0)) != digest(torch.tensor([1.0]))
    assert digest(torch.zeros(0)) == digest(torch.zeros(0))
    assert digest([base, base]) == digest([base, base.clone()])  # read once or twice
    flipped = base.clone()
    flipped.view(torch.int32)[3] ^= 1
    assert digest(flipped) != digest(base)
    assert digest(base.requires_grad_()) == digest(base.detach().to(torch.float32))
    assert len(digest(base.detach())) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("odd", [object(), {1, 2}, b"x", torch.zeros(2, device="meta"), torch.eye(2).to_sparse()])
def test_what_has_no_checksum_is_refused(odd: Any) -> None:
    with pytest.raises(TypeError, match="has no checksum"):
        digest({"a": [odd]})
