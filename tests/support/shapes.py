"""Shapes of small models, for laws that hold for all of them."""

from typing import Any

from hypothesis import strategies as st

from lab.parts.config import CHOICES, ModelConfig


@st.composite
def shapes(draw: Any) -> ModelConfig:
    """Any combination of the lab's parts, with few numbers in it."""
    kv_heads, group = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    parts = {option: draw(st.sampled_from(choices)) for option, choices in CHOICES.items()}
    own_head = draw(st.booleans())
    return ModelConfig(
        emb_dim=kv_heads * group * 2 * draw(st.integers(1, 2)),
        n_layers=draw(st.integers(1, 3)),
        n_heads=kv_heads * group,
        context_length=draw(st.integers(1, 9)),
        drop_rate=0.0,
        qkv_bias=draw(st.booleans()),
        bias=draw(st.booleans()),
        tie_embeddings=draw(st.booleans()),
        vocab_size=draw(st.integers(2, 13)),
        n_kv_heads=draw(st.sampled_from([None, kv_heads])),
        head_dim=2 * draw(st.integers(1, 3)) if own_head else None,
        qk_norm=draw(st.booleans()),
        sliding_window=draw(st.sampled_from([None, 1, 3])),
        hidden_dim=draw(st.sampled_from([None, 5])),
        **parts,
    )
