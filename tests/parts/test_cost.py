"""What a model costs, against the model itself and torch's own operation counter."""

import pytest
import torch
from hypothesis import given, settings
from support.shapes import shapes
from torch.utils.flop_counter import FlopCounterMode

from lab.inference.kv_cache import KVCache
from lab.model import GPTConfig, GPTModel
from lab.parts import ModelConfig, build_model
from lab.parts.cost import cache_numbers_per_token, flops_per_token, inner_parameters, parameters


@settings(max_examples=40, deadline=None)
@given(shapes())
def test_the_counted_numbers_are_those_of_the_model(shape: ModelConfig) -> None:
    model = build_model(shape)
    assert parameters(shape) == model.num_parameters()
    assert inner_parameters(shape) == model.num_parameters(include_embeddings=False)
    cache = KVCache(model, 1)
    assert cache_numbers_per_token(shape) * shape.context_length == sum(x.numel() for x in cache.keys + cache.values)


@pytest.mark.parametrize("tied", [True, False])
def test_flops_by_hand(tied: bool) -> None:
    config = GPTConfig(emb_dim=4, n_layers=3, n_heads=2, context_length=5, vocab_size=11, tie_embeddings=tied)
    block = (4 + 4) + (4 * 12 + 12) + (4 * 4 + 4) + (4 + 4) + (4 * 16 + 16) + (16 * 4 + 4)
    multiplied = 3 * block + (4 + 4) + 4 * 11  # the blocks, the last norm, the head
    assert flops_per_token(config) == 6 * multiplied + 12 * 3 * 4 * 5


@pytest.mark.parametrize("tied", [True, False])
def test_flops_are_those_that_torch_counts(tied: bool) -> None:
    """torch counts the matrix products alone; the formula has the norms' scales in it besides."""
    config = GPTConfig(16, 2, 4, 8, drop_rate=0.0, bias=False, qkv_bias=False, tie_embeddings=tied, vocab_size=30)
    model = GPTModel(config)
    text = torch.randint(30, (3, 8))
    with FlopCounterMode(display=False) as counter:
        for block in model.blocks:
            block.attention.spelled_out = True  # what the kernels count may differ
        model(text).sum().backward()
    scales = (2 * config.n_layers + 1) * config.emb_dim
    assert flops_per_token(config) * text.numel() == (counter.get_total_flops() + 6 * scales * text.numel())


@settings(max_examples=10, deadline=None)
@given(shapes())
def test_flops_of_every_part_are_those_that_torch_counts(shape: ModelConfig) -> None:
    """But for vectors (norms, biases), which the formula counts as if they were multiplied."""
    shape.sliding_window = None
    model = build_model(shape).eval()
    text = torch.randint(shape.vocab_size, (2, shape.context_length))
    with FlopCounterMode(display=False) as counter:
        for block in model.blocks:
            block.attention.spelled_out = True  # type: ignore[union-attr, assignment]
        model(text).sum().backward()
    embedded = model.position_embedding.weight.numel() if model.position_embedding is not None else 0
    vectors = sum(p.numel() for p in model.parameters() if p.ndim < 2)
    assert embedded == (shape.context_length * shape.emb_dim if shape.position == "learned" else 0)
    assert (flops_per_token(shape) - 6 * vectors) * text.numel() == counter.get_total_flops()


def test_a_window_is_paid_for_by_its_length() -> None:
    shape = ModelConfig(emb_dim=16, n_layers=3, n_heads=2, context_length=32, vocab_size=11)
    narrow = ModelConfig(**{**vars(shape), "sliding_window": 8})
    assert flops_per_token(shape) - flops_per_token(narrow) == 12 * 3 * 16 * (32 - 8)
