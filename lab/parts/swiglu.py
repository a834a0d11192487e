"""A feed-forward network with a gate. Shazeer 2020, https://arxiv.org/abs/2002.05202.

Each hidden number is a product of two: what to pass on, and how far to open the gate for it. A product of two
projections can express what a sum through a GELU needs many units for, and the loss of the same number of parameters
is lower; why, the paper ends, is left to "divine benevolence".

Price: three matrices instead of two. At two thirds of the width (the default here, as in Llama) the parameters, 8
emb_dim^2 a block, and the FLOPs are those of GPT-2's network; the cache is not touched.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from lab.model import Dropout, GPTConfig


def default_width(emb_dim: int) -> int:
    """Two thirds of four times ``emb_dim``, rounded up to a multiple of 8, which kernels like."""
    return -(-8 * emb_dim // 3 // 8) * 8


class SwiGLU(nn.Module):
    """SiLU(gate(x)) * up(x), projected back to ``emb_dim``. SiLU is x times its own sigmoid: a soft ReLU."""

    def __init__(self, config: GPTConfig, hidden_dim: int | None = None) -> None:
        super().__init__()
        hidden_dim = hidden_dim or default_width(config.emb_dim)
        # Both matrices in one, gate first: one large product is faster than two small ones.
        self.expand = nn.Linear(config.emb_dim, 2 * hidden_dim, bias=config.bias)
        self.project = nn.Linear(hidden_dim, config.emb_dim, bias=config.bias)
        self.dropout = Dropout(config.drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape."""
        gate, up = self.expand(x).chunk(2, dim=-1)  # (B, T, C) -> (B, T, hidden_dim) twice
        x = self.project(F.silu(gate) * up)  # (B, T, hidden_dim) -> (B, T, C)
        return self.dropout(x)
