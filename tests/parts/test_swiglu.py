"""SwiGLU against its formula in float64."""

import torch

from lab.model import GPTConfig
from lab.parts.swiglu import SwiGLU, default_width


def test_the_formula() -> None:
    torch.manual_seed(0)
    part = SwiGLU(GPTConfig(emb_dim=6, n_heads=1, drop_rate=0.0), hidden_dim=5)
    x = torch.randn(2, 3, 6)
    weight, bias = part.expand.weight.double(), part.expand.bias.double()
    gate = x.double() @ weight[:5].T + bias[:5]
    up = x.double() @ weight[5:].T + bias[5:]
    hidden = gate / (1 + torch.exp(-gate)) * up
    expected = hidden @ part.project.weight.double().T + part.project.bias.double()
    torch.testing.assert_close(part(x).double(), expected, rtol=1e-5, atol=1e-6)


def test_it_is_as_large_as_gpt2s_network() -> None:
    assert [default_width(size) for size in (256, 512, 768, 3)] == [688, 1368, 2048, 8]
    part = SwiGLU(GPTConfig(emb_dim=768, bias=False))
    assert sum(p.numel() for p in part.parameters()) == 8 * 768**2
