"""A part of the user's own is held to its promises before a run begins."""

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.files import user_code
from lab.parts import ModelConfig
from lab.parts.build import parts_of
from lab.parts.contract import check

HEAD = """
import torch
from torch import nn
from lab.model import MultiHeadAttention, TransformerBlock
"""


@pytest.mark.parametrize(
    ("option", "body", "said"),
    [
        ("feed_forward", "class P(nn.Linear):\n def __init__(s, c): super().__init__(c.emb_dim, c.emb_dim)", None),
        (
            "feed_forward",
            "class P(nn.Linear):\n def __init__(s, c): super().__init__(c.emb_dim, 2 * c.emb_dim)",
            "does not work",
        ),
        (
            "norm",
            "class P(nn.Module):\n def __init__(s, d, b): super().__init__()\n def forward(s, x): return x / 0",
            "NaN",
        ),
        (
            "attention",
            "class P(MultiHeadAttention):\n def forward(s, x, cache=None): return x.mean(1, keepdim=True).expand_as(x)",
            "a position looks ahead",
        ),
        (
            "attention",
            "class P(nn.Module):\n def __init__(s, c): super().__init__()\n def forward(s, x, cache=None): return x",
            "n_kv_heads and head_dim",
        ),
        ("block", "class P(TransformerBlock):\n def forward(s, x, cache=None): return x.flip(1)", "looks ahead"),
        ("block", "class P(TransformerBlock):\n def forward(s, x, cache=None): return x[..., :1]", "comes out as"),
        ("position", "class P(nn.Embedding):\n def __init__(s, c): super().__init__(c.context_length, 1)", None),
        (
            "position",
            "class P(nn.Embedding):\n def __init__(s, c): super().__init__(c.context_length, 3)",
            "does not work",
        ),
    ],
)
def test_promises(option: str, body: str, said: str | None, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HEAD + body)
    shape = ModelConfig(emb_dim=8, n_layers=50, n_heads=2, context_length=6, **{option: "mine.py:P"})  # type: ignore[arg-type]
    with user_code.allowed([tmp_path / "mine.py"]):
        if said is None:
            check(shape, parts_of(shape))
            return
        with pytest.raises(LabError, match=said) as told:
            check(shape, parts_of(shape))
        assert f"model.{option}=mine.py:P" in str(told.value)
