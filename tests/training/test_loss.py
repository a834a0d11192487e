"""The chunked loss against plain cross-entropy on all the logits."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lab.model import GPTConfig, GPTModel
from lab.training import loss
from lab.training.loss import next_token_loss

few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Result = tuple[Tensor, Tensor, Tensor]


@pytest.fixture(params=["chunks", "fallback"], autouse=True)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here twice: by torch's chunked kernel, and as with a torch that has none."""
    if request.param == "fallback":
        monkeypatch.setattr(loss, "_HAS_CHUNKS", False)
    elif not loss._HAS_CHUNKS:
        pytest.skip("this torch has no chunked loss")


def plain(hidden: Tensor, head: Tensor, targets: Tensor, reduction: str) -> Tensor:
    return F.cross_entropy((hidden @ head.T).flatten(0, 1), targets.flatten(), reduction=reduction)


def inputs(batch: int, seq: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Result:
    random = torch.Generator().manual_seed(seed)
    hidden = torch.randn(batch, seq, 8, generator=random, dtype=dtype)
    head = torch.randn(31, 8, generator=random, dtype=dtype)
    return hidden, head, torch.randint(31, (batch, seq), generator=random)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("batch", "seq"), [(1, 1), (2, 100), (2, 128), (1, 257), (3, 200)])
def test_value_and_gradients(batch: int, seq: int, reduction: str) -> None:
    """Fewer rows than a chunk, exactly one, one more, and several with a rest."""
    hidden, head, targets = inputs(batch, seq)
    hidden.requires_grad_()
    head.requires_grad_()
    ours, theirs = next_token_loss(hidden, head, targets, reduction), plain(hidden, head, targets, reduction)
    assert ours.shape == ()
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    # As under gradient accumulation, the loss is scaled before it goes back.
    for a, b in zip(
        torch.autograd.grad(0.25 * ours, (hidden, head)),
        torch.autograd.grad(0.25 * theirs, (hidden, head)),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@few
@given(st.integers(1, 4), st.integers(1, 90), st.integers(0, 2**31), st.sampled_from(["mean", "sum"]))
def test_value_for_any_shape(batch: int, seq: int, seed: int, reduction: str) -> None:
    hidden, head, targets = inputs(batch, seq, seed)
    torch.testing.assert_close(
        next_token_loss(hidden, head, targets, reduction),
        plain(hidden, head, targets, reduction),
        rtol=1e-12,
        atol=1e-12,
    )


def test_float32_is_as_good_as_the_plain_way() -> None:
    exact = inputs(2, 300)
    hidden, head, targets = inputs(2, 300)
    hidden, head = hidden.float(), head.float()
    assert next_token_loss(hidden, head, targets).item() == pytest.approx(plain(*exact, "mean").item(), abs=1e-5)


def test_nothing_is_kept_without_gradients() -> None:
    hidden, head, targets = inputs(2, 10)
    with torch.no_grad():
        assert not next_token_loss(hidden, head.requires_grad_(), targets).requires_grad


@pytest.mark.parametrize("tied", [True, False])
def test_it_is_the_loss_of_the_model(tied: bool) -> None:
    torch.manual_seed(0)
    model = GPTModel(GPTConfig(16, 2, 2, 8, drop_rate=0.0, vocab_size=31, tie_embeddings=tied)).double()
    text = torch.randint(31, (3, 9))
    token_ids, targets = text[:, :-1], text[:, 1:]
    ours, theirs = next_token_loss(model.hidden(token_ids), model.head.weight, targets), model.loss(token_ids, targets)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    parameters = list(model.parameters())
    for a, b in zip(torch.autograd.grad(ours, parameters), torch.autograd.grad(theirs, parameters), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
