"""A feed-forward network with the square of a ReLU. So et al. 2021 ("Primer"), https://arxiv.org/abs/2109.08668.

Found by a search over programs: of all that it changed in a transformer, squaring the ReLU gave most for its size. Half
of the hidden numbers are exactly zero, as with any ReLU, and the others are spread out more.

Price: parameters, FLOPs and cache are those of GPT-2's network; the square is cheaper to compute than a GELU.
"""

import torch
from torch import Tensor, nn

from lab.model import Dropout, GPTConfig


class SquaredReLU(nn.Module):
    """max(0, x)^2 between two linear layers, the middle ``hidden_dim`` wide (by default 4 * emb_dim)."""

    def __init__(self, config: GPTConfig, hidden_dim: int | None = None) -> None:
        super().__init__()
        hidden_dim = hidden_dim or 4 * config.emb_dim
        self.expand = nn.Linear(config.emb_dim, hidden_dim, bias=config.bias)
        self.project = nn.Linear(hidden_dim, config.emb_dim, bias=config.bias)
        self.dropout = Dropout(config.drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape."""
        x = self.project(torch.relu(self.expand(x)).square())  # (B, T, hidden_dim) -> (B, T, C)
        return self.dropout(x)
