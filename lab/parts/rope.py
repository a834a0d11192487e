"""Positions as rotations. Su et al. 2021 ("RoFormer"), https://arxiv.org/abs/2104.09864.

Each pair of numbers in a query or key is an arrow, turned by an angle that grows with the position. The dot product of
two arrows depends on the difference of their angles alone, so that a head sees how far apart two tokens are and not
where they stand: what it learns about "the previous token" holds everywhere. Pairs turn at different speeds, the first
by one radian a token, the last by ``1 / base``, like the hands of a clock.

Price: no parameters (GPT-2's table has context_length * emb_dim); a few operations a head and token, not counted among
the FLOPs; keys are kept as they were turned, and the cache stays as large.
"""

import torch
from torch import Tensor, nn


class RotaryPosition(nn.Module):
    """Turns queries and keys by their positions. The pairs are number i and number i + D/2, as in Llama: which numbers
    make a pair is a matter of taste, since the matrices before are learnt."""

    def __init__(self, head_dim: int, base: float = 10000.0) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.base = base

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        """``(batch, heads, seq, head_dim)`` to the same shape, by ``positions``, ``(seq,)`` or ``(batch, seq)``."""
        # In fp32 whatever the arithmetic: bf16 cannot tell position 257 from 256.
        exponents = torch.arange(0, self.head_dim, 2, device=x.device, dtype=torch.float32) / self.head_dim
        angles = positions[..., None].float() / self.base**exponents  # (..., T, D/2)
        if positions.ndim == 2:
            angles = angles[:, None]  # (B, 1, T, D/2): the same for every head
        cos, sin = angles.cos(), angles.sin()
        one, other = x.float().chunk(2, dim=-1)  # (B, H, T, D/2) each
        return torch.cat((one * cos - other * sin, other * cos + one * sin), dim=-1).type_as(x)
