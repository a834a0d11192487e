"""Packed weights: the product of a formula in float64, and a model that says the same."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lab.inference import packed
from lab.inference.packed import PackedLinear
from lab.inference.sampling import Sampling, generate
from lab.inference.weight_format import prepare
from lab.model import GPTConfig, GPTModel

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(not packed._can(torch.float32), reason="torch packs no matrices on this processor")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 70), st.integers(1, 70), st.booleans())
def test_the_product_is_that_of_the_matrix(rows: int, inner: int, out: int, bias: bool) -> None:
    torch.manual_seed(rows * inner * out)
    linear = nn.Linear(inner, out, bias=bias)
    x = torch.randn(2, rows, inner)
    with torch.inference_mode():
        found = PackedLinear(linear)
        got = found(x)
    assert (got.shape, got.dtype) == ((2, rows, out), torch.float32)
    exact = x.double() @ linear.weight.double().T + (0 if linear.bias is None else linear.bias.double())
    assert torch.allclose(got.double(), exact, atol=1e-5)
    assert torch.equal(found.weight, linear.weight)


@pytest.mark.parametrize("tied", [True, False])
def test_packed_a_model_says_the_same(tied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    torch.manual_seed(1)
    model = GPTModel(GPTConfig(24, 2, 2, 16, drop_rate=0.0, tie_embeddings=tied, vocab_size=99)).eval()
    ids = torch.randint(99, (2, 16))
    with torch.no_grad():
        head = model.head.weight.clone()
        expected, texts = model(ids), generate(model, [[3, 7], [5]], 40, Sampling(0.9, 20), seed=2)
        prepare(model, CPU)
        assert torch.allclose(model(ids), expected, atol=1e-5)
    assert sum(type(module) is PackedLinear for module in model.modules()) == 4 * 2 + 1
    assert torch.equal(model.head.weight, head)
    assert generate(model, [[3, 7], [5]], 40, Sampling(0.9, 20), seed=2) == texts


@pytest.mark.parametrize("case", ["one thread", "no such product", "another device"])
def test_where_it_does_not_pay_the_matrices_are_left(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 1 if case == "one thread" else 2)
    if case == "no such product":

        def fail(*_: object) -> None:
            raise RuntimeError("mkldnn_reorder_linear_weight: needs the cpu support")

        monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", fail)
    model = GPTModel(GPTConfig(8, 1, 1, 8, vocab_size=9)).eval()
    prepare(model, torch.device("meta" if case == "another device" else "cpu"))
    assert not [module for module in model.modules() if isinstance(module, PackedLinear)]
