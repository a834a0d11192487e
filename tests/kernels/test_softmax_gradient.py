"""Losses and gradients out of one visit to the logits, against the formula in float64."""

import pytest
import torch
import torch.nn.functional as F

from lab.kernels import softmax_gradient
from lab.kernels.softmax_gradient import Workspace, softmax_gradient_


@pytest.mark.parametrize(("dtype", "full"), [(torch.float64, torch.float64), (torch.bfloat16, torch.float32)])
def test_losses_and_gradient_of_a_part_of_wider_rows(
    dtype: torch.dtype, full: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows at a time of eight, so that the last turn has two; what stands beside the vocabulary stays."""
    monkeypatch.setattr(softmax_gradient, "_IN_CACHE", 3 * 50 // torch.get_num_threads() + 1)
    rows = (4 * torch.randn(8, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).to(dtype)
    targets = torch.arange(8) * 6
    logits = rows[:, :50].double().requires_grad_()
    losses = F.cross_entropy(logits, targets, reduction="none")
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    beside = rows[:, 50:].clone()
    work = Workspace(50, rows, full)
    assert work.rows == 3
    found = softmax_gradient_(rows[:, :50], targets, work)
    assert found.dtype is full
    exact = dtype is torch.float64
    torch.testing.assert_close(found.double(), losses.detach(), rtol=0, atol=1e-12 if exact else 1e-5)
    torch.testing.assert_close(rows[:, :50].double(), gradient, rtol=1e-12 if exact else 2**-8, atol=1e-15)
    assert torch.equal(rows[:, 50:], beside)


def test_a_token_that_was_nearly_certain_keeps_its_small_gradient() -> None:
    """p - 1 of a p that 16 bits would round to 1; and a loss below what they could tell from 0."""
    logits = torch.zeros(1, 4, dtype=torch.bfloat16)
    logits[0, 2] = 12
    loss = softmax_gradient_(logits, torch.tensor([2]), Workspace(4, logits, torch.float32))
    expected = torch.log1p(3 * torch.exp(torch.tensor(-12.0, dtype=torch.float64))).item()
    assert loss.item() == pytest.approx(expected, rel=0.02)
    assert logits[0, 2].item() == pytest.approx(-expected, rel=0.02)


def test_a_token_that_was_out_of_the_question_has_a_finite_loss() -> None:
    logits = torch.zeros(1, 4, dtype=torch.bfloat16)
    logits[0, 1] = 1000
    assert softmax_gradient_(logits, torch.tensor([0]), Workspace(4, logits, torch.float32)).item() == 1000


def test_logits_stay_where_no_gradient_is_wanted() -> None:
    logits = torch.arange(6.0).view(2, 3)
    softmax_gradient_(logits, torch.tensor([0, 2]), Workspace(3, logits, torch.float32), keep=False)
    assert torch.equal(logits, torch.arange(6.0).view(2, 3))
