"""Attention with what later models have added to it, each by an option: see ``grouped_query``, ``qk_norm``, ``rope``,
``alibi`` and ``sliding_window``. Without any, it is ``lab.model.MultiHeadAttention``, whose steps it takes."""

from typing import Any

import torch
from torch import Tensor, nn

from lab.model import LayerCache, MultiHeadAttention
from lab.parts.config import ModelConfig
from lab.parts.grouped_query import shared
from lab.parts.qk_norm import QKNorm
from lab.parts.sliding_window import within


class Attention(MultiHeadAttention):
    """Attention of ``n_heads`` queries over ``n_kv_heads`` keys and values.

    Args:
        config: the sizes, and what is switched on.
        position: what tells positions here, if anything does (see ``lab.parts.contract.AttentionPosition``).
    """

    def __init__(self, config: ModelConfig, position: nn.Module | None = None) -> None:
        super().__init__(config)
        self.n_kv_heads = config.kv_heads
        self.head_dim = config.head_size
        self.widths = [heads * self.head_dim for heads in (self.n_heads, self.n_kv_heads, self.n_kv_heads)]
        self.qkv = nn.Linear(config.emb_dim, sum(self.widths), bias=config.qkv_bias)
        self.project = nn.Linear(self.widths[0], config.emb_dim, bias=config.bias)
        self.qk_norm = QKNorm(self.head_dim, config.norm_eps) if config.qk_norm else None
        self.sliding_window = config.sliding_window
        self.position = position

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape. With a ``cache``, x are the next positions of longer texts."""
        queries, keys, values = self.split_heads(x)  # (B, H, T, D), and twice (B, Hkv, T, D)
        positions = torch.arange(x.shape[1], device=x.device) if cache is None else cache.positions  # (T,) or (B, T)
        if self.qk_norm is not None:
            queries, keys = self.qk_norm(queries, keys)
        if hasattr(self.position, "rotate"):
            told: Any = self.position
            queries, keys = told.rotate(queries, positions), told.rotate(keys, positions)
        visible = None
        if cache is not None:
            keys, values, visible = cache.extend(keys, values)  # (B, Hkv, K, D) twice, (B, 1, T, K)
        columns = getattr(cache, "key_positions", None)  # (B, K), of keys that do not stand in order
        mask = self.mask(positions, keys.shape[2], visible, queries.dtype, columns)
        context = self.attend(queries, shared(keys, self.n_heads), shared(values, self.n_heads), mask)
        return self.merge_heads(context)

    def split_heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, ``(batch, n_heads, seq, head_dim)``, and keys and values, ``(batch, n_kv_heads, seq, head_dim)``."""
        parts = self.qkv(x).split(self.widths, dim=-1)
        queries, keys, values = (part.unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for part in parts)
        return queries, keys, values

    def mask(
        self, positions: Tensor, known: int, visible: Tensor | None, dtype: torch.dtype, columns: Tensor | None = None
    ) -> Tensor | None:
        """Which of the ``known`` keys each query may look at, or numbers for its scores, as ``attend`` takes them.
        ``columns``, ``(batch, known)``, are the keys' positions if they are not 0, 1, 2 ..."""
        biased = hasattr(self.position, "bias")
        if self.sliding_window is None and not biased:
            return visible
        columns = torch.arange(known, device=positions.device) if columns is None else columns[:, None]
        distances = positions[..., None] - columns  # (T, K) or (B, T, K)
        if distances.ndim == 3:
            distances = distances[:, None]  # (B, 1, T, K)
        seen = within(distances, self.sliding_window or known)
        if visible is not None:
            seen = seen & visible
        if not biased:
            return seen
        told: Any = self.position
        bias: Tensor = told.bias(distances)  # (H, T, K) or (B, H, T, K)
        return bias.masked_fill(~seen, -torch.inf).to(dtype)
