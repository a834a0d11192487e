"""Reading a text that grows, without reading it again for each new token.

To predict the next token, a GPT looks back at every earlier position, but all it takes from them is their keys and
values. A token's key and value depend on the tokens before it and on nothing after it: once computed, they stay the
same however the text goes on. Keeping them turns the work for one more token from a pass over the whole text into a
pass over a single position.

What it costs is memory: 2 x n_layers x n_kv_heads x head_dim numbers a token, 72 KiB for GPT-2 in fp32. It is allocated
once, for a full context, so that nothing grows while a text is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from lab.model import GPTModel, LayerCache, TransformerBlock


class KVCache:
    """The keys and values of ``batch`` texts under ``model``, which must be in evaluation mode.

    Each text has its own length; the token at position p of a text has column p of its row. Shape letters as in
    ``lab/model.py``.
    """

    def __init__(self, model: GPTModel, batch: int) -> None:
        self.model = model
        weight = model.token_embedding.weight
        self.keys, self.values = [], []
        for block in model.blocks:
            heads = cast(TransformerBlock, block).attention
            shape = (batch, heads.n_kv_heads, model.config.context_length, heads.head_dim)  # (B, H, context, D)
            self.keys.append(torch.zeros(shape, dtype=weight.dtype, device=weight.device))
            self.values.append(torch.zeros(shape, dtype=weight.dtype, device=weight.device))

    def read(self, token_ids: Tensor, positions: Tensor, rows: Tensor | None = None) -> Tensor:
        """What ``GPTModel.hidden`` says at tokens that are new, given those that were read before.

        Args:
            token_ids: ``(batch, seq)`` int64 on the CPU.
            positions: ``(batch, seq)`` int64 on the CPU, where in its text each of them stands, in rising order. What
                was known of these positions is replaced; what lies behind them is neither looked at nor kept in mind.
            rows: ``(batch,)`` int64, which texts these are; by default all of them.

        Returns:
            ``(batch, seq, emb_dim)``, after the final norm.
        """
        device = self.model.token_embedding.weight.device
        known = int(positions.max()) + 1  # nobody looks at the columns beyond
        place = _place(positions, known, rows, device)
        token_ids, positions = token_ids.to(device), positions.to(device)
        # A token sees itself and what comes before it in its text. Of shorter texts, which do not reach as far as the
        # others, the rest of the row is hidden by the same rule.
        visible = (torch.arange(known, device=device) <= positions[:, :, None])[:, None]  # (B, 1, T, known)
        layers: list[LayerCache] = [
            _Layer(keys, values, positions, visible, place) for keys, values in zip(self.keys, self.values, strict=True)
        ]
        return self.model.hidden(token_ids, layers)

    def read_texts(self, texts: Sequence[Sequence[int]], rows: Tensor | None = None) -> Tensor:
        """Reads texts from their first token on; returns what is said at the last token of each, ``(batch, emb_dim)``.

        Shorter texts are filled up at the end. The fillers stand behind every real token, where none looks; what they
        leave in the cache is replaced, position by position, before the text has grown that far.
        """
        longest = max(map(len, texts))
        token_ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts])  # (B, T)
        positions = torch.arange(longest).expand(len(texts), -1)
        hidden = self.read(token_ids, positions, rows)  # (B, T, C)
        return hidden[torch.arange(len(texts)), torch.tensor([len(text) - 1 for text in texts])]


@dataclass(frozen=True)
class _Columns:
    """The same columns of all rows, as is usual: one block of memory a head, and nothing to look up."""

    start: int
    known: int

    def write(self, kept: Tensor, new: Tensor) -> Tensor:
        """Puts ``new`` into what is kept of a layer; returns what is known of it."""
        kept.narrow(2, self.start, self.known - self.start).copy_(new)
        return kept.narrow(2, 0, self.known)


@dataclass(frozen=True)
class _Places:
    """Columns of their own in each row."""

    written: Tensor  # (B, 1), the rows that the new tokens belong to
    positions: Tensor  # (B, T)
    rows: Tensor | None  # (B,), or all of them, which needs no copy of the cache
    known: int

    def write(self, kept: Tensor, new: Tensor) -> Tensor:
        """As that of ``_Columns``."""
        kept[self.written, :, self.positions] = new.transpose(1, 2)
        return kept[:, :, : self.known] if self.rows is None else kept[self.rows, :, : self.known]


def _place(positions: Tensor, known: int, rows: Tensor | None, device: torch.device) -> _Columns | _Places:
    """Where the keys and values of new tokens go; arguments as in ``KVCache.read``."""
    start = known - positions.shape[1]
    if rows is None and torch.equal(positions, torch.arange(start, known).expand_as(positions)):
        return _Columns(start, known)
    written = torch.arange(len(positions)) if rows is None else rows
    looked_at = None if rows is None else rows.to(device)
    return _Places(written[:, None].to(device), positions.to(device), looked_at, known)


@dataclass(frozen=True)
class _Layer:
    """One layer's part in a pass: what ``lab.model.LayerCache`` asks for."""

    keys: Tensor  # (all rows, H, context, D), and the values likewise
    values: Tensor
    positions: Tensor  # (B, T)
    visible: Tensor  # (B, 1, T, known)
    place: _Columns | _Places

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.place.write(self.keys, keys), self.place.write(self.values, values), self.visible
