"""Fewer keys and values than queries. Ainslie et al. 2023, https://arxiv.org/abs/2305.13245; with a single one, Shazeer
2019, https://arxiv.org/abs/1911.02150.

While a text is written, the cache of keys and values is what fills the memory and what has to be read for every token.
Groups of heads that ask different questions of the same keys and values are nearly as good, and the cache shrinks by
n_heads / n_kv_heads.

Price: 2 * emb_dim * head_dim * (n_heads - n_kv_heads) parameters a block fewer, and 6 FLOPs for each of them in
training; the FLOPs of the scores stay; the cache has 2 * n_kv_heads * head_dim numbers a token and layer.
"""

from torch import Tensor


def shared(keys_or_values: Tensor, n_heads: int) -> Tensor:
    """Gives each query head its group's keys or values: ``(batch, n_kv_heads, known, head_dim)`` to ``(batch, n_heads,
    known, head_dim)``. Head h belongs to group h // (n_heads / n_kv_heads)."""
    group = n_heads // keys_or_values.shape[1]
    return keys_or_values if group == 1 else keys_or_values.repeat_interleave(group, dim=1)
