"""Weights in 8 bits: the product of a formula in float64, and a model that says nearly the same."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lab.inference import int8
from lab.inference.int8 import Int8Linear, to_int8
from lab.inference.sampling import Sampling, generate
from lab.inference.weight_format import prepare
from lab.model import GPTConfig, GPTModel

CPU = torch.device("cpu")


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


@pytest.mark.parametrize("tied", [True, False])
def test_a_model_says_nearly_the_same(tied: bool) -> None:
    torch.manual_seed(1)
    model = GPTModel(GPTConfig(64, 2, 2, 32, drop_rate=0.0, tie_embeddings=tied, vocab_size=99)).eval()
    ids = torch.randint(99, (4, 32))
    with torch.no_grad():
        expected = model(ids)
        prepare(model, CPU, "int8")
        found = model(ids).float()
    assert not [module for module in model.modules() if type(module) is nn.Linear]
    assert sum(type(module) is Int8Linear for module in model.modules()) == 4 * 2 + 1
    assert 0 < (found - expected).abs().max() < 0.05 * expected.abs().max()
    # With the cache, and from a prompt read at once: the same choices of the likeliest token.
    text = generate(model, [[3, 7]], 20, Sampling(temperature=0))[0]
    with torch.no_grad():
        again = model(torch.tensor([text]))[0, 1:-1].float()
    chosen = again.gather(-1, torch.tensor(text[2:])[:, None])[:, 0]
    assert bool((chosen >= again.amax(-1) - 0.02).all())


def test_where_torch_has_no_such_product_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(int8.torch, "_weight_int8pack_mm")
    model = GPTModel(GPTConfig(8, 1, 1, 8, vocab_size=9))
    with pytest.raises(RuntimeError, match="8-bit weights on a CPU only"):
        to_int8(model)
    assert type(model.head) is nn.Linear
