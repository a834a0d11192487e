"""Attention with every option against a loop over positions in float64."""

import math

import pytest
import torch

from lab.parts import ModelConfig, build_model
from lab.parts.alibi import slopes


@pytest.mark.parametrize("position", ["none", "rope", "alibi"])
@pytest.mark.parametrize(("kv_heads", "window", "qk_norm"), [(4, None, False), (2, 3, True), (1, 2, False)])
@torch.no_grad()
def test_position_by_position(position: str, kv_heads: int, window: int | None, qk_norm: bool) -> None:
    torch.manual_seed(0)
    shape = ModelConfig(
        emb_dim=16,
        n_layers=1,
        n_heads=4,
        n_kv_heads=kv_heads,
        head_dim=6,
        context_length=7,
        drop_rate=0.0,
        vocab_size=5,
        position=position,
        sliding_window=window,
        qk_norm=qk_norm,
        qkv_bias=False,
        bias=False,
    )
    attention = build_model(shape).double().blocks[0].attention
    x = torch.randn(1, 7, 16, dtype=torch.float64)
    rows = (attention.qkv.weight @ x[0].T).T  # (T, (4 + 2 kv) * 6)
    out = torch.zeros(7, 4, 6, dtype=torch.float64)

    def vector(place: int, part: int, head: int) -> torch.Tensor:
        start = (0, 4, 4 + kv_heads)[part] + head
        found = rows[place, start * 6 : (start + 1) * 6]
        if qk_norm and part < 2:
            found = found / (found.square().mean() + 1e-5).sqrt()
        if position == "rope" and part < 2:
            turned = torch.complex(found[:3], found[3:]) * torch.exp(
                1j * place * 10000.0 ** (-torch.arange(3, dtype=torch.float64) / 3)
            )
            found = torch.cat((turned.real, turned.imag))
        return found

    for head in range(4):
        group = head // (4 // kv_heads)
        for i in range(7):
            seen = [j for j in range(i + 1) if window is None or i - j < window]
            scores = [float(vector(i, 0, head) @ vector(j, 1, group)) / math.sqrt(6) for j in seen]
            if position == "alibi":
                scores = [score - slopes(4)[head] * (i - j) for score, j in zip(scores, seen, strict=True)]
            weights = torch.softmax(torch.tensor(scores, dtype=torch.float64), 0)
            out[i, head] = sum(weight * vector(j, 2, group) for weight, j in zip(weights, seen, strict=True))
    expected = out.flatten(1) @ attention.project.weight.T
    torch.testing.assert_close(attention(x)[0], expected, rtol=1e-5, atol=1e-6)
    attention.spelled_out = True
    torch.testing.assert_close(attention(x)[0], expected, rtol=1e-5, atol=1e-6)
