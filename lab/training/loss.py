"""The head and the cross-entropy in one go, without ever holding all the logits in fp32.

At 4 windows of 256 tokens, the logits of a 50,257-token vocabulary are 206 MB, their log-softmax as much again and
their gradient a third time: more than the nano model, its gradients and its optimizer state together. But a token's
loss needs only its own row. Working through the rows in chunks, one chunk's logits are kept at a time and turned into
gradients at once, while they are still in the cache. In fp32 torch does that (2.13 and later); in 16 bits it is done
in ``lab/kernels/head_loss.py``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lab.kernels.head_loss import head_loss

ROWS = 256
"""Tokens in a chunk: enough rows for an efficient matrix product, few enough for the logits to stay small (51 MB)."""

_HAS_CHUNKS = hasattr(F, "linear_cross_entropy") and hasattr(nn, "LinearCrossEntropyOptions")  # torch 2.13 and later
_SHORT = (torch.bfloat16, torch.float16)


def next_token_loss(hidden: Tensor, head: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy in nats between ``hidden @ head.T`` and ``targets``; equal to ``GPTModel.loss``, but for rounding.

    ``hidden`` is ``(batch, seq, emb_dim)``, ``head`` is ``(vocab_size, emb_dim)``, ``targets`` is ``(batch, seq)``; a
    target of -100 does not count. ``reduction`` is "mean" (a token) or "sum". Under autocast the products are in its
    format. Returns a scalar, in fp32 where the products are in 16 bits.
    """
    hidden, targets = hidden.flatten(0, 1), targets.flatten()  # (B * T, C), (B * T,)
    if (dtype := _format(hidden, head)) in _SHORT:
        return head_loss(hidden, head, targets, dtype, reduction)
    if _HAS_CHUNKS:
        options = nn.LinearCrossEntropyOptions(batch_chunk_size=ROWS)
        return F.linear_cross_entropy(hidden, head, targets, reduction=reduction, options=options)
    return F.cross_entropy(F.linear(hidden, head), targets, reduction=reduction)


def _format(hidden: Tensor, head: Tensor) -> torch.dtype:
    """What ``F.linear(hidden, head)`` would be in."""
    device = hidden.device.type
    if torch.is_autocast_enabled(device) and hidden.dtype is not torch.float64:  # which autocast leaves alone
        return torch.get_autocast_dtype(device)
    return torch.promote_types(hidden.dtype, head.dtype)
