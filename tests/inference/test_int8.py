"""Weights in 8 bits: the product of a formula in float64, and a model that says nearly the same."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lab.inference import int8
from lab.inference.int8 import Int8Linear, to_int8
from lab.model import GPTConfig, GPTModel


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(1, 70),
    st.integers(1, 70),
    st.booleans(),
    st.floats(-3, 3).map(lambda exponent: 10**exponent),
)
def test_the_product_is_that_of_the_rounded_matrix(rows: int, inner: int, out: int, bias: bool, size: float) -> None:
    torch.manual_seed(rows * inner * out)
    linear = nn.Linear(inner, out, bias=bias)
    with torch.no_grad():
        linear.weight.mul_(size)
        linear.weight[0] = 0  # a row that has no scale
        x = torch.randn(2, rows, inner).to(torch.bfloat16)
        found = Int8Linear(linear)
        got = found(x)
        assert (got.shape, got.dtype) == ((2, rows, out), torch.bfloat16)
        matrix = (found.numbers.double() * found.scales.double()[:, None])[:, :inner]
        exact = x.double() @ matrix.T + (0 if linear.bias is None else linear.bias.to(torch.bfloat16).double())
        scale = x.double().abs() @ matrix.abs().T + 1e-30
    assert ((got.double() - exact).abs() / (scale + exact.abs())).max() < 2**-7
    # Half a step of each row's own scale, whose rounding the numbers make up for; what is beyond 127 of them is cut.
    step = found.scales.double()[:, None]
    assert bool(((matrix - linear.weight.double()).abs() <= step * 0.51 + 127 * step * 2**-8).all())
    assert torch.allclose(found.weight.float(), linear.weight, atol=float(step.max()))


def test_where_torch_has_no_such_product_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(int8.torch, "_weight_int8pack_mm")
    model = GPTModel(GPTConfig(8, 1, 1, 8, vocab_size=9))
    with pytest.raises(RuntimeError, match="8-bit weights on a CPU only"):
        to_int8(model)
    assert type(model.head) is nn.Linear
