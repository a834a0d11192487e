"""Root-mean-square norm: a LayerNorm that only scales. Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467.

LayerNorm takes the mean out of each vector and brings its spread to 1. The authors found that the second is what helps:
without mean and shift, training is as stable and there is less to compute. Llama, Qwen and most models since do so.

Price: ``emb_dim`` parameters a norm instead of LayerNorm's twice as many; the cache is not touched.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Divides each token's vector by the root of the mean of its squares, then scales each number by a learnt factor.

    There is no shift: ``bias`` is taken so that it can stand wherever a LayerNorm does, and changes nothing.
    """

    def __init__(self, emb_dim: int, bias: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(emb_dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """``(..., emb_dim)`` to the same shape."""
        # scale * x / sqrt(mean(x^2) + eps), in one call
        return F.rms_norm(x, self.scale.shape, self.scale, eps=self.eps)
