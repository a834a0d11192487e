"""Attention with linear biases. Press et al. 2021, https://arxiv.org/abs/2108.12409.

Nothing is added to the tokens: a score loses a fixed amount for each token between query and key. Each head loses at a
rate of its own, so that some look only at their neighbours and others far back. Such a model can be read on beyond the
length it was trained at, because there is no position that it has never seen.

Price: no parameters; one addition a score, not counted among the FLOPs; the cache is not touched.
"""

import math

import torch
from torch import Tensor, nn


def slopes(n_heads: int) -> list[float]:
    """What each head's scores lose a token: from 2^(-8 / n) down to 2^-8, as a geometric series.

    Where n is no power of two: the series of the next lower power, and every other term of the one above it (the
    authors' own rule, https://github.com/ofirpress/attention_with_linear_biases).
    """
    power = 2 ** math.floor(math.log2(n_heads))
    series = [2 ** (-8 * (head + 1) / power) for head in range(power)]
    between = [2 ** (-4 * (head + 1) / power) for head in range(2 * power)][::2]
    return series + between[: n_heads - power]


class LinearBias(nn.Module):
    """What the scores lose by distance."""

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads

    def bias(self, distances: Tensor) -> Tensor:
        """How many tokens lie between a key and a query, ``(seq, known)`` or ``(batch, 1, seq, known)``, to what is
        added to the scores, ``(..., n_heads, seq, known)``."""
        rates = torch.tensor(slopes(self.n_heads), device=distances.device)[:, None, None]  # (H, 1, 1)
        return -rates * distances
