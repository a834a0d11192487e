"""Weights are looked at before a kernel believes them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.model import GPTConfig, GPTModel
from lab.runs.tensors import within, without_memory

SHAPE = GPTConfig(emb_dim=8, n_layers=2, n_heads=2, context_length=4, vocab_size=11)


def test_a_model_without_memory_has_the_names_and_shapes_of_a_real_one() -> None:
    real = GPTModel(SHAPE)
    before = torch.get_rng_state()
    found = without_memory(SHAPE, real.state_dict())
    assert torch.equal(torch.get_rng_state(), before)
    assert {n: (p.shape, p.dtype) for n, p in found.named_parameters()} == {
        n: (p.shape, p.dtype) for n, p in real.named_parameters()
    }
    assert all(parameter.is_meta for parameter in found.parameters())


def test_a_depth_that_the_weights_have_not_is_refused_before_it_is_built() -> None:
    names = list(GPTModel(SHAPE).state_dict())
    deep = GPTConfig(emb_dim=8, n_layers=10**9, n_heads=2, context_length=4, vocab_size=11)
    with pytest.raises(ValueError, match="has 1,000,000,000 layers, and its weights have 2"):
        without_memory(deep, names)
    wide = GPTConfig(emb_dim=2**40, n_layers=2, n_heads=2, context_length=4, vocab_size=11)
    with pytest.raises(ValueError, match=r"no model can have emb_dim="):
        without_memory(wide, names)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(width=32), max_size=8), st.none() | st.floats(-2, 2, width=32))
def test_within_is_what_a_loop_over_the_numbers_says(values: list[float], low: float | None) -> None:
    expected = all(math.isfinite(value) and (low is None or value >= low) for value in values)
    assert within(torch.tensor(values), low) == expected
