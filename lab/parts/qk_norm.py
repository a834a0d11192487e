"""Queries and keys of one length. Henry et al. 2020, https://arxiv.org/abs/2010.04245; as here, with a learnt scale and
before positions are told, in Qwen3 (https://arxiv.org/abs/2505.09388, section 2).

A score is a product of two lengths and a cosine. Training can raise scores without limit by growing the lengths, until
softmax is all or nothing and its gradient gone (Dehghani et al. 2023, section 3.1, https://arxiv.org/abs/2302.05442).
Normed, only the direction counts, and larger learning rates hold.

Price: 2 * head_dim parameters a block; two norms of small vectors a head; the cache is not touched.
"""

from torch import Tensor, nn

from lab.parts.rmsnorm import RMSNorm


class QKNorm(nn.Module):
    """An RMSNorm for the queries and one for the keys, over the numbers of each head, shared by the heads."""

    def __init__(self, head_dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.queries = RMSNorm(head_dim, eps=eps)
        self.keys = RMSNorm(head_dim, eps=eps)

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, heads, seq, head_dim)`` twice, to the same shapes."""
        return self.queries(queries), self.keys(keys)
