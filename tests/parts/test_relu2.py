"""The squared ReLU against its formula in float64."""

import torch

from lab.model import GPTConfig
from lab.parts.relu2 import SquaredReLU


def test_the_formula() -> None:
    torch.manual_seed(0)
    part = SquaredReLU(GPTConfig(emb_dim=6, n_heads=1, drop_rate=0.0))
    x = torch.randn(2, 3, 6)
    hidden = x.double() @ part.expand.weight.double().T + part.expand.bias.double()
    assert hidden.shape[-1] == 24
    hidden = torch.where(hidden > 0, hidden**2, 0)
    expected = hidden @ part.project.weight.double().T + part.project.bias.double()
    torch.testing.assert_close(part(x).double(), expected, rtol=1e-5, atol=1e-6)
