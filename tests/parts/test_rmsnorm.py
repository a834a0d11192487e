"""RMSNorm against its formula in float64."""

import torch

from lab.parts.rmsnorm import RMSNorm


def test_the_formula() -> None:
    torch.manual_seed(0)
    x = 5 + 3 * torch.randn(4, 3, 10)
    norm = RMSNorm(10, bias=True, eps=0.25)
    norm.scale.data = torch.randn(10)
    wide = x.double()
    expected = wide / (wide.square().sum(-1, keepdim=True) / 10 + 0.25).sqrt() * norm.scale.double()
    torch.testing.assert_close(norm(x).double(), expected, rtol=1e-6, atol=1e-6)
    assert [name for name, _ in norm.named_parameters()] == ["scale"]  # no shift, whoever asks for one
