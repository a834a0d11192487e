"""The chunked loss against plain cross-entropy on all the logits."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gradients import assert_same_gradients
from torch import Tensor

from lab.kernels.head_loss import head_loss
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
    assert_same_gradients(0.25 * ours, 0.25 * theirs, (hidden, head), rtol=1e-10, atol=1e-12)


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
    assert_same_gradients(ours, theirs, list(model.parameters()), rtol=1e-9, atol=1e-12)


def test_float32_on_a_cpu_is_torchs_own_loss_bit_for_bit() -> None:
    hidden, head, targets = inputs(2, 300, dtype=torch.float32)
    found: list[torch.Tensor] = []
    expected: list[torch.Tensor] = []
    for results, compute in ((found, next_token_loss), (expected, _torchs_own)):
        leaves = hidden.clone().requires_grad_(), head.clone().requires_grad_()
        value = compute(*leaves, targets)
        results += [value, *torch.autograd.grad(value, leaves)]
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def _torchs_own(hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    hidden, targets = hidden.flatten(0, 1), targets.flatten()
    if not loss._HAS_CHUNKS:
        return F.cross_entropy(F.linear(hidden, head), targets)
    options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=256)
    return F.linear_cross_entropy(hidden, head, targets, options=options)


@pytest.mark.parametrize("kind", ["autocast", "weights in bf16"])
def test_the_head_is_in_the_format_of_the_rest(kind: str) -> None:
    """Under autocast as ``F.linear`` would be; and nothing else has a say."""
    hidden, head, targets = inputs(2, 20, dtype=torch.float32)
    expected = head_loss(hidden.flatten(0, 1), head, targets.flatten(), torch.bfloat16)
    assert not torch.equal(next_token_loss(hidden, head, targets), expected)
    if kind == "autocast":
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(next_token_loss(hidden, head, targets), expected)
            assert next_token_loss(hidden.double(), head.double(), targets).dtype is torch.float64
    else:
        assert torch.equal(next_token_loss(hidden.bfloat16(), head.bfloat16(), targets), expected)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("tied", [True, False])
def test_under_autocast_every_parameter_has_the_gradient_of_the_plain_model(tied: bool, checkpointing: bool) -> None:
    """Whole, in float64: the head's own part of a tied matrix as well as that of the embedding."""
    torch.manual_seed(0)
    shape = GPTConfig(16, 2, 2, 8, 0.0, vocab_size=31, tie_embeddings=tied, activation_checkpointing=checkpointing)
    model = GPTModel(shape)
    exact = GPTModel(shape).double()
    exact.load_state_dict(model.state_dict())
    text = torch.randint(31, (16, 9))
    exact.loss(text[:, :-1], text[:, 1:]).backward()
    with torch.autocast("cpu", torch.bfloat16):
        value = next_token_loss(model.hidden(text[:, :-1]), model.head.weight, text[:, 1:])
    value.backward()
    for (name, one), other in zip(model.named_parameters(), exact.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        near = (one.grad.double() - other.grad).norm() < 0.05 * other.grad.norm() + 1e-6
        assert near, name
