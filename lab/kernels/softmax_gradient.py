"""Logits to their gradient, in place: what a cross-entropy needs of a row of logits, in one visit to it.

With p = softmax(logits), the loss of a token is -log p[target], and its gradient is p with 1 taken off at the target
(Bridle 1990, section 4). Both come from the same exponentials. The logits of a large vocabulary do not fit into a
cache; a few rows of them do. So the rows are taken a few at a time and stay in the cache from the first pass over them
to the last. Memory is read once and written once, in the logits' own 16 bits; maximum, exponentials and their sum are
in 32.
"""

import torch
from torch import Tensor

_IN_CACHE = 2**18
"""Numbers a thread that are worked on at a time on a CPU: 1 MB in fp32, about what a core has as a cache of its own."""
_ON_DEVICE = 2**25
"""Likewise on a GPU, where it bounds the memory instead: 128 MB."""


def rows_at_a_time(rows: int, vocab_size: int, device: str) -> int:
    """How many of ``rows`` are worked on at a time on a ``device`` of this type."""
    numbers = _IN_CACHE * torch.get_num_threads() if device == "cpu" else _ON_DEVICE
    return max(1, min(numbers // vocab_size, rows))


class Workspace:
    """Memory for the rows in progress, asked for once and used for all chunks of a step.

    Args:
        vocab_size: numbers in a row.
        like: where the logits are.
        dtype: of the statistics: float32, or float64 for logits in float64.
    """

    def __init__(self, vocab_size: int, like: Tensor, dtype: torch.dtype) -> None:
        self.rows = rows_at_a_time(len(like), vocab_size, like.device.type)
        self.logits, self.probabilities = (
            torch.empty(self.rows, vocab_size, dtype=dtype, device=like.device) for _ in range(2)
        )


def softmax_gradient_(logits: Tensor, targets: Tensor, work: Workspace, keep: bool = True) -> Tensor:
    """The loss of each row in nats, ``(n,)`` in the workspace's format; the logits become their gradient.

    Args:
        logits: ``(n, vocab_size)``, a view of wider rows if need be. Overwritten by softmax(logits) - one_hot(targets),
            the gradient of the sum of the losses, unless ``keep`` is false: then they stay what they are.
        targets: ``(n,)`` int64, each within the vocabulary.
        work: for rows of this width.
        keep: whether the gradient is wanted.
    """
    targets = targets.unsqueeze(1)  # (n, 1)
    dtype = work.logits.dtype
    of_target = logits.gather(1, targets).squeeze(1).to(dtype)  # (n,)
    largest, largest_p = torch.empty_like(of_target), torch.empty_like(of_target)
    for start in range(0, len(logits), work.rows):
        rows = slice(start, start + work.rows)
        some = logits[rows]
        wide, p = work.logits[: len(some)], work.probabilities[: len(some)]
        wide.copy_(some)
        torch.amax(wide, dim=1, out=largest[rows])
        torch.softmax(wide, dim=1, out=p)
        torch.amax(p, dim=1, out=largest_p[rows])
        if keep:
            some.copy_(p)
    # log p[target] = logit[target] - largest - log(sum of exp(logit - largest)); and 1 / sum is the largest p.
    losses = largest - of_target - largest_p.log()
    if keep:
        # p - 1 where p is nearly 1: from the loss, in full, and not as a difference of rounded numbers.
        # By index, since scattering into a view of wider rows would copy all of it, twice.
        every_row = torch.arange(len(logits), device=logits.device)
        logits.index_put_((every_row, targets.squeeze(1)), torch.expm1(-losses).to(logits.dtype))
    return losses
