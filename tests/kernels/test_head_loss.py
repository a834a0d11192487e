"""The head and the loss in 16 bits, against the plain formula in float64; and what they compute for it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from support.gradients import assert_same_gradients
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from lab.kernels import head_loss as kernel
from lab.kernels.head_loss import head_loss


def inputs(tokens: int, vocab_size: int, emb_dim: int, ignored: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(tokens)
    hidden = torch.randn(tokens, emb_dim, generator=random, dtype=torch.float64)
    head = 0.3 * torch.randn(vocab_size, emb_dim, generator=random, dtype=torch.float64)
    targets = torch.randint(vocab_size, (tokens,), generator=random)
    targets[:ignored] = -100
    return hidden.requires_grad_(), head.requires_grad_(), targets


def plain(hidden: Tensor, head: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    return F.cross_entropy(F.linear(hidden, head), targets, reduction=reduction)


def distance(found: Tensor, expected: Tensor) -> float:
    """Relative, over all numbers together."""
    return ((found.double() - expected).norm() / expected.norm()).item()


@contextmanager
def products() -> Iterator[Counter[tuple[int, ...]]]:
    """Counts the matrix products within it, by the shape of their results."""
    seen: Counter[tuple[int, ...]] = Counter()

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            found = func(*args, **(kwargs or {}))
            if func._schema.name == "aten::mm":
                seen[tuple(found.shape)] += 1
            return found

    with Watch():
        yield seen


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradient_is_that_of_finite_differences(reduction: str) -> None:
    hidden, head, targets = inputs(5, 7, 3, ignored=1)
    assert torch.autograd.gradcheck(
        lambda one, other: head_loss(one, other, targets, torch.float64, reduction), (hidden, head)
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("ignored", [0, 300])
def test_several_groups_of_several_chunks_are_one_sum(
    reduction: str, ignored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two chunks a group; the last group is smaller than a chunk, and the whole first chunk may be one of ignored."""
    monkeypatch.setitem(kernel._HELD, "cpu", 2 * kernel.CHUNK * 64)
    hidden, head, targets = inputs(1100, 31, 8, ignored)
    assert kernel.group_rows(1100, 31) == 512
    ours, theirs = head_loss(hidden, head, targets, torch.float64, reduction), plain(hidden, head, targets, reduction)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert_same_gradients(0.25 * ours, 0.25 * theirs, (hidden, head), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("vocab_size", [256, 2048, 50257, 128256])
def test_bfloat16_is_near_the_exact_result(vocab_size: int) -> None:
    hidden, head, targets = inputs(48, vocab_size, 16, ignored=3)
    theirs = plain(hidden, head, targets)
    expected = torch.autograd.grad(theirs, (hidden, head))
    single = hidden.detach().float().requires_grad_(), head.detach().float().requires_grad_()
    ours = head_loss(*single, targets, torch.bfloat16)
    assert ours.dtype is torch.float32
    assert ours.item() == pytest.approx(theirs.item(), abs=5e-3)
    for found, exact in zip(torch.autograd.grad(ours, single), expected, strict=True):
        assert found.dtype is torch.float32
        assert found.shape == exact.shape
        assert distance(found, exact) < 0.01


def test_the_padding_of_the_vocabulary_takes_no_probability() -> None:
    """Every token has the logit -60; a padded column, with its 0, would take all there is."""
    hidden, head = torch.full((3, 4), -15.0), torch.ones(31, 4)
    loss = head_loss(hidden, head, torch.arange(3), torch.bfloat16)
    assert loss.item() == pytest.approx(torch.tensor(31.0).log().item(), abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_loss_scaling_and_accumulation(dtype: torch.dtype) -> None:
    """As a scaler in fp16 has it: the loss is multiplied, its gradients add up over micro-batches, then they are
    divided. Without the scaling, gradients of so many tokens would vanish in fp16."""
    hidden, head, targets = inputs(3000, 512, 8, ignored=7)
    parts = [slice(0, 1000), slice(1000, 3000)]
    sum(plain(hidden[part], head, targets[part]) / 2 for part in parts).backward()  # type: ignore[union-attr]
    single = hidden.detach().float().requires_grad_(), head.detach().float().requires_grad_()
    for part in parts:
        (2.0**16 * head_loss(single[0][part], single[1], targets[part], dtype) / 2).backward()
    for found, exact in zip(single, (hidden, head), strict=True):
        assert found.grad is not None
        assert exact.grad is not None
        assert distance(found.grad / 2**16, exact.grad) < 0.01


def test_weights_in_bfloat16_have_gradients_in_bfloat16_that_were_summed_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of 40 groups brings what is too little to be added in 16 bits to what the others have brought."""
    monkeypatch.setitem(kernel._HELD, "cpu", 0)
    hidden = torch.ones(40 * kernel.CHUNK, 1, dtype=torch.bfloat16)
    head = torch.zeros(2, 1, dtype=torch.bfloat16, requires_grad=True)
    loss = head_loss(hidden, head, torch.zeros(len(hidden), dtype=torch.int64), torch.bfloat16, "sum")
    loss.backward()
    assert head.grad is not None
    assert head.grad.dtype is torch.bfloat16
    assert head.grad.flatten().tolist() == [-5120, 5120]


def test_what_is_computed_is_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three chunks of logits; one product for each gradient that is wanted, however many chunks; nothing else."""
    hidden, head, targets = inputs(700, 100, 8)
    with products() as seen:
        head_loss(hidden, head, targets, torch.bfloat16).backward()
    chunks = Counter({(256, 128): 2, (188, 128): 1})
    assert seen == chunks + Counter({(700, 8): 1, (128, 8): 1})
    with products() as seen:
        head_loss(hidden, head.detach(), targets, torch.bfloat16).backward()
    assert seen == chunks + Counter({(700, 8): 1})
    with torch.no_grad(), products() as seen:
        loss = head_loss(hidden, head, targets, torch.bfloat16)
    assert seen == chunks
    assert loss.grad_fn is None


def test_it_can_be_differentiated_again_and_says_the_same() -> None:
    hidden, head, targets = inputs(9, 12, 4)
    loss = 3 * head_loss(hidden, head, targets, torch.bfloat16)
    first = torch.autograd.grad(loss, (hidden, head), retain_graph=True)
    again = torch.autograd.grad(loss, (hidden, head))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_a_batch_of_nothing_but_ignored_tokens_teaches_nothing() -> None:
    hidden, head, targets = inputs(4, 5, 2, ignored=4)
    loss = head_loss(hidden, head, targets, torch.bfloat16, "sum")
    assert loss.item() == 0
    assert not any(gradient.any() for gradient in torch.autograd.grad(loss, (hidden, head)))


def test_memory_is_bounded_and_counted() -> None:
    """However many tokens there are, and however many tokens a vocabulary has."""
    assert kernel.group_rows(1024, 50257) == 512
    assert kernel.group_rows(10**6, 50257, "cuda") == 2560
    assert kernel.group_rows(10**6, 10**7) == kernel.CHUNK
    few, many = (kernel.peak_memory(tokens, 50257, 256) for tokens in (2560, 25600))
    assert many - few == 4 * 256 * (25600 - 2560)  # the gradient of the hidden vectors alone
