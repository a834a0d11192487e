"""The block of the first transformers against torch's own."""

from typing import Any

import torch
from torch import nn

from lab.model import GPT2, GPTConfig
from lab.parts.post_norm import PostNormBlock


def test_it_is_torchs_encoder_layer_with_a_mask() -> None:
    torch.manual_seed(0)
    ours = PostNormBlock(GPTConfig(emb_dim=8, n_heads=2, drop_rate=0.0), GPT2)
    theirs = nn.TransformerEncoderLayer(
        8, 2, 32, 0.0, lambda x: nn.functional.gelu(x, approximate="tanh"), batch_first=True
    )
    for parameter in ours.parameters():
        parameter.data = torch.randn_like(parameter)
    mine, attention, expand, project = (
        ours.attention,
        theirs.self_attn,
        ours.feed_forward.expand,
        ours.feed_forward.project,
    )
    pairs: dict[Any, Any] = {
        attention.in_proj_weight: mine.qkv.weight,
        attention.in_proj_bias: mine.qkv.bias,
        attention.out_proj.weight: mine.project.weight,
        attention.out_proj.bias: mine.project.bias,
        theirs.linear1.weight: expand.weight,
        theirs.linear1.bias: expand.bias,
        theirs.linear2.weight: project.weight,
        theirs.linear2.bias: project.bias,
        theirs.norm1.weight: ours.norm1.scale,
        theirs.norm1.bias: ours.norm1.shift,
        theirs.norm2.weight: ours.norm2.scale,
        theirs.norm2.bias: ours.norm2.shift,
    }
    for parameter, value in pairs.items():
        parameter.data = value.data
    x = torch.randn(2, 5, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    torch.testing.assert_close(ours(x), theirs(x, src_mask=mask, is_causal=True), rtol=1e-4, atol=1e-4)
