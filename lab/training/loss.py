"""The head and the cross-entropy in one go: with torch 2.13 or later, without ever holding all the logits.

At 4 windows of 256 tokens, the logits of a 50,257-token vocabulary are 206 MB, their log-softmax as much again and
their gradient a third time: more than the nano model, its gradients and its optimizer state together. But a token's
loss needs only its own row. Working through the rows in chunks, torch keeps one chunk's logits at a time and turns
them into gradients at once, while they are still in the cache.
"""

import torch.nn.functional as F
from torch import Tensor, nn

ROWS = 256
"""Tokens in a chunk: enough rows for an efficient matrix product, few enough for the logits to stay small (51 MB)."""

_HAS_CHUNKS = hasattr(F, "linear_cross_entropy") and hasattr(nn, "LinearCrossEntropyOptions")  # torch 2.13 and later


def next_token_loss(hidden: Tensor, head: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy in nats between ``hidden @ head.T`` and ``targets``; equal to ``GPTModel.loss``, but for rounding.

    ``hidden`` is ``(batch, seq, emb_dim)``, ``head`` is ``(vocab_size, emb_dim)``, ``targets`` is ``(batch, seq)``.
    ``reduction`` is "mean" (a token) or "sum". Returns a scalar.
    """
    hidden, targets = hidden.flatten(0, 1), targets.flatten()  # (B * T, C), (B * T,)
    if _HAS_CHUNKS:
        options = nn.LinearCrossEntropyOptions(batch_chunk_size=ROWS)
        return F.linear_cross_entropy(hidden, head, targets, reduction=reduction, options=options)
    return F.cross_entropy(F.linear(hidden, head), targets, reduction=reduction)
