"""The output head and the cross-entropy in one, in 16 bits: logits are made, judged and used up chunk by chunk.

The head is most of a small model's arithmetic (72 % of nano's), so it has to be in the format that the rest is in:
under autocast, torch's own fused loss computes in fp32 all the same. What is in 16 bits here is what autocast would
have in 16 bits: the factors of the three products (logits, gradient of the hidden vectors, gradient of the head), each
summed up in 32 by the hardware. The softmax is in fp32, and so is the sum over groups of rows.

Three things make it fast. Rows are multiplied in chunks, whose logits are still in the cache when they become
gradients. Their gradients are kept, in 16 bits, until there is a group of rows: one large product for the head's
gradient is several times as fast as one a chunk, of which each reads and writes the whole gradient again. And the
vocabulary is padded to a multiple of 64, for products of uneven width take a slower way (50,257 tokens: twice the
time). The padding is zeros that no softmax sees, so it takes no probability and gets no gradient.

As the loss is the last thing that is computed and the first to be differentiated, its gradients are computed with it:
what is kept for the backward pass are two tensors of the size of the hidden vectors and the head, and no logits.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lab.kernels.softmax_gradient import Workspace, rows_at_a_time, softmax_gradient_

CHUNK = 256
"""Tokens multiplied at a time on a CPU."""
MULTIPLE = 64
"""What the vocabulary is padded to a multiple of."""
_HELD = {"cpu": 2**25}
"""Logits that are held at a time, by type of device: 64 MiB in 16 bits on a CPU, 512 tokens with GPT-2's vocabulary,
which take 1 % longer than twice as many."""
_HELD_ELSEWHERE = 2**27
_ROWS_ADDED = 2**12


@dataclass(frozen=True)
class _Task:
    """What is to be computed."""

    dtype: torch.dtype
    reduction: str
    ignore_index: int
    of_hidden: bool
    """Is the gradient of the hidden vectors wanted?"""
    of_head: bool

    @property
    def full(self) -> torch.dtype:
        """The format of statistics, sums and results."""
        return torch.float64 if self.dtype is torch.float64 else torch.float32


def head_loss(
    hidden: Tensor,
    head: Tensor,
    targets: Tensor,
    dtype: torch.dtype,
    reduction: str = "mean",
    ignore_index: int = -100,
) -> Tensor:
    """Cross-entropy in nats between ``hidden @ head.T`` and ``targets``, a scalar in fp32.

    As ``F.cross_entropy(F.linear(hidden, head), targets)`` with the products in ``dtype``; its gradients are of the
    formats of ``hidden`` and ``head``. It can be differentiated once.

    Args:
        hidden: ``(tokens, emb_dim)``, floating point.
        head: ``(vocab_size, emb_dim)``, floating point.
        targets: ``(tokens,)`` int64.
        dtype: of the products: bfloat16 or float16 (float32 and float64 work, too: for tests).
        reduction: ``mean`` over the tokens that count, or ``sum``.
        ignore_index: the target of tokens that do not count.
    """
    asked = torch.is_grad_enabled()  # not to be told apart within the function, where it is always off
    task = _Task(dtype, reduction, ignore_index, asked and hidden.requires_grad, asked and head.requires_grad)
    with torch.autocast(hidden.device.type, enabled=False):
        loss: Tensor = _HeadLoss.apply(hidden, head, targets, task)  # type: ignore[no-untyped-call]
    return loss


def group_rows(tokens: int, vocab_size: int, device: str = "cpu") -> int:
    """Tokens whose logits are held at a time on a ``device`` of this type, of a batch of ``tokens``."""
    held = _HELD.get(device, _HELD_ELSEWHERE)
    return min(tokens, max(CHUNK, held // padded(vocab_size) // CHUNK * CHUNK))


def peak_memory(tokens: int, vocab_size: int, emb_dim: int, device: str = "cpu") -> int:
    """Bytes that a training step holds here at its peak, in 16 bits, its results among them."""
    rows, width = group_rows(tokens, vocab_size, device), padded(vocab_size)
    statistics = 2 * 4 * vocab_size * rows_at_a_time(rows, vocab_size, device)
    # The head in 16 bits, its gradient from one group in 16 and in 32, and the hidden vectors' in 32.
    return 2 * rows * width + statistics + (2 + 2 + 4) * width * emb_dim + 4 * tokens * emb_dim


def padded(vocab_size: int) -> int:
    """The next multiple of ``MULTIPLE``."""
    return -(-vocab_size // MULTIPLE) * MULTIPLE


class _HeadLoss(torch.autograd.Function):
    """See ``head_loss``."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, task: _Task) -> Tensor:
        counts = targets != task.ignore_index  # (N,)
        divisor = counts.sum().to(task.full) if task.reduction == "mean" else counts.new_ones((), dtype=task.full)
        # What the mean divides by goes into the small factor of each product, where it costs nothing. Not in fp16,
        # whose smallest numbers it would leave: there it waits for the factor of loss scaling, which makes up for it.
        late = task.dtype is torch.float16
        share = (counts.to(task.full) if late else torch.where(counts, 1 / divisor, 0.0)).unsqueeze(1)  # (N, 1)
        losses, *gradients = _by_groups(hidden, head, targets.where(counts, 0), share, task)
        ctx.formats = hidden.dtype, head.dtype
        ctx.save_for_backward(1 / divisor if late else divisor.new_ones(()), *gradients)
        return torch.where(counts, losses, 0.0).sum() / divisor

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        rest, *gradients = ctx.saved_tensors
        # Loss scaling and accumulation. Looking whether there is any would make a GPU wait.
        factor = grad_output * rest
        if factor.device.type != "cpu" or factor.item() != 1:
            gradients = [None if gradient is None else gradient * factor for gradient in gradients]
        of_hidden, of_head = (
            None if gradient is None else gradient.to(dtype)
            for gradient, dtype in zip(gradients, ctx.formats, strict=True)
        )
        return of_hidden, of_head, None, None


def _by_groups(
    hidden: Tensor, head: Tensor, targets: Tensor, share: Tensor, task: _Task
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Losses ``(tokens,)``, and the gradients of ``hidden`` and ``head``, each row's weighted by its ``share``."""
    tokens, vocab_size = len(hidden), len(head)
    wanted = task.of_hidden or task.of_head
    table = head.new_zeros(padded(vocab_size), head.shape[1], dtype=task.dtype)
    table[:vocab_size].copy_(head)
    rows = hidden.to(task.dtype)
    on_cpu = hidden.device.type == "cpu"
    held = group_rows(tokens, vocab_size, hidden.device.type) if wanted or not on_cpu else min(tokens, CHUNK)
    logits = torch.empty(held, len(table), dtype=task.dtype, device=hidden.device)
    work = Workspace(vocab_size, logits, task.full)
    losses = torch.empty(tokens, dtype=task.full, device=hidden.device)
    of_hidden = torch.empty_like(hidden, dtype=task.full) if task.of_hidden else None
    of_head: Tensor | None = None
    for first in range(0, tokens, held):
        group = slice(first, min(first + held, tokens))
        gradient = logits[: group.stop - first]
        for start in range(first, group.stop, CHUNK if on_cpu else held):
            chunk = slice(start, min(start + (CHUNK if on_cpu else held), group.stop))
            some = gradient[start - first : chunk.stop - first]
            torch.mm(rows[chunk], table.T, out=some)
            losses[chunk] = softmax_gradient_(some[:, :vocab_size], targets[chunk], work, keep=wanted)
        if of_hidden is not None:
            torch.mul(gradient @ table, share[group], out=of_hidden[group])
        if task.of_head:
            product = (gradient.T @ (hidden[group] * share[group]).to(task.dtype))[:vocab_size]
            of_head = product.to(task.full) if of_head is None else _add_(of_head, product)
    return losses, of_hidden, of_head


def _add_(total: Tensor, more: Tensor) -> Tensor:
    """Adds ``more``, of another format, to ``total``: in parts, since torch would first convert all of it."""
    for part, other in zip(total.split(_ROWS_ADDED), more.split(_ROWS_ADDED), strict=True):
        part.add_(other)
    return total
