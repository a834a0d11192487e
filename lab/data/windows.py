"""Windows: how one long line of tokens becomes training examples.

A language model's example needs no label from outside: the target of each token is simply the token after it.

    tokens    t0 t1 t2 t3 t4 t5 t6 ...
    inputs    t0 t1 t2 t3               (context_length = 4)
    targets      t1 t2 t3 t4            the same text, one further on

The next window starts ``stride`` tokens later. With ``stride = context_length`` every token is a target once an epoch;
a smaller stride shows the same text at several offsets.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from lab.data.shuffle import Order, Shuffle, suitable

_AT_ONCE = 4096  # windows whose order is asked for in one go

Batch = tuple[Tensor, Tensor]
"""Inputs and targets, each ``(batch, seq)`` int64."""


class NumberedWindows(Dataset[Batch], ABC):
    """Windows from 0 on, of which a DataLoader takes a batch in one go; one by itself is a batch of one."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A whole batch, ``(batch, context_length)`` twice."""

    def __getitem__(self, index: int) -> Batch:
        if not -len(self) <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        inputs, targets = self.__getitems__([index % len(self)])
        return inputs[0], targets[0]


class Windows(NumberedWindows):
    """The full windows of ``tokens``: ``windows[i]`` is ``(inputs, targets)``, each ``(context_length,)`` int64.

    ``tokens`` is ``(n_tokens,)`` uint16 or uint32, in memory or mapped from a file. A mapped file is opened again
    in each loader worker instead of being copied to it.
    """

    def __init__(self, tokens: np.ndarray, context_length: int, stride: int | None = None) -> None:
        self.tokens = tokens
        self.context_length = context_length
        self.stride = stride or context_length
        # A window needs context_length inputs and one token more, the last target.
        self._length = max(0, (len(tokens) - context_length - 1) // self.stride + 1)

    def __len__(self) -> int:
        return self._length

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A whole batch, ``(batch, context_length)`` twice, in one gather: the DataLoader calls this by itself."""
        starts = np.asarray(indices, dtype=np.int64) * self.stride
        # A view of all windows costs nothing; only the rows asked for are read from the memory map.
        rows = np.lib.stride_tricks.sliding_window_view(self.tokens, self.context_length + 1)[starts]
        batch = torch.from_numpy(rows.astype(np.int64))  # (B, T + 1)
        return batch[:, :-1], batch[:, 1:]

    def __getstate__(self) -> dict[str, object]:
        state = self.__dict__.copy()
        if isinstance(self.tokens, np.memmap):
            whole = self.tokens
            while isinstance(whole.base, np.memmap):  # a slice of a mapped file does not know where in it it begins
                whole = whole.base
            start = whole.offset + self.tokens.ctypes.data - whole.ctypes.data
            width = self.tokens.itemsize
            state["tokens"] = (whole.filename, start // width, len(self.tokens), width)
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        if isinstance(state["tokens"], tuple):
            state["tokens"] = open_tokens(*state["tokens"])
        self.__dict__.update(state)


class SeekableSampler(Sampler[list[int]]):
    """Endless batches of window numbers; each is a pure function of ``(seed, position)``.

    ``position`` counts the windows handed out before. That makes an exact resume simple: whoever knows how many
    windows have been used knows everything; no shuffling state has to be saved. Each epoch is shuffled anew, and a
    batch at the border takes its rest from the next epoch, so that no window is dropped and all batches have one size.

    With several ``replicas`` (one process a device), each takes its own share of every joint batch.

    ``order`` says which window stands at which position; by default, that of ``lab.data.shuffle.Shuffle``.
    """

    def __init__(
        self,
        n_windows: int,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        position: int = 0,
        rank: int = 0,
        replicas: int = 1,
        order: Order | None = None,
    ) -> None:
        self.order = order or Shuffle(n_windows, seed, suitable(n_windows, shuffle))
        self.batch_size = batch_size
        self.position = position
        self.rank = rank
        self.replicas = replicas
        # Asking for many at a time is faster than one by one; for more than an epoch, orders would be drawn twice.
        self._at_once = max(1, min(_AT_ONCE, n_windows) // (batch_size * replicas))

    def __iter__(self) -> Iterator[list[int]]:
        joint = self.batch_size * self.replicas
        own = np.arange(self.rank * self.batch_size, (self.rank + 1) * self.batch_size)
        begins = np.arange(self._at_once)[:, None] * joint
        position = self.position
        while True:
            windows = self.order((position + begins + own).flatten())
            yield from windows.reshape(-1, self.batch_size).tolist()
            position += self._at_once * joint


def evaluation_batches(tokens: np.ndarray, context_length: int, batch_size: int) -> list[tuple[int, int, int]]:
    """How to score every token of ``tokens`` but the first exactly once, as ``(start, rows, seq)`` for each batch.

    Full windows side by side, then one shorter window with what is left, in a batch of its own, so that nothing is
    padded, nothing dropped and nothing counted twice. A text shorter than one window is simply that last window.
    """
    targets = max(0, len(tokens) - 1)
    full, rest = divmod(targets, context_length)
    batches = [
        (first * context_length, min(batch_size, full - first), context_length) for first in range(0, full, batch_size)
    ]
    if rest:
        batches.append((full * context_length, 1, rest))
    return batches


class EvaluationWindows(Dataset[Batch]):
    """The batches of ``evaluation_batches``: item i is ``(inputs, targets)``, each ``(rows, seq)`` int64.

    With several ``replicas`` (one process a device), each takes every so many-th batch. All have the same number of
    items, for they may have to compute them together: where the batches do not come out even, the last item of some is
    a batch once more, which does not count (``counts`` says so).
    """

    def __init__(
        self, tokens: np.ndarray, context_length: int, batch_size: int, rank: int = 0, replicas: int = 1
    ) -> None:
        self.tokens = tokens
        self.batches = evaluation_batches(tokens, context_length, batch_size)
        self.rank = rank
        self.replicas = replicas

    def __len__(self) -> int:
        return -(-len(self.batches) // self.replicas)

    def counts(self, index: int) -> bool:
        """Is item ``index`` a batch that no other replica has?"""
        return index * self.replicas + self.rank < len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        place = index * self.replicas + self.rank
        start, rows, seq = self.batches[place if self.counts(index) else 0]
        piece = torch.from_numpy(self.tokens[start : start + rows * seq + 1].astype(np.int64))
        return piece[:-1].view(rows, seq), piece[1:].view(rows, seq)


def split_by_position(n_tokens: int, val_fraction: float, max_val_tokens: int | None) -> int:
    """Where training ends and validation begins: tokens ``[0, n)`` train, ``[n, n_tokens)`` validate.

    The validation text is one piece from the end, not windows picked at random: neighbouring windows share a page, and
    a model could score on the one by having memorised the other. ``max_val_tokens`` keeps the evaluation of a large
    corpus from taking longer than its training; at 65,536 tokens the loss has a standard error near 0.01.
    """
    val_tokens = int(n_tokens * val_fraction)
    if max_val_tokens is not None:
        val_tokens = min(val_tokens, max_val_tokens)
    return n_tokens - val_tokens


def open_tokens(path: str | Path, start: int = 0, length: int | None = None, width: int = 2) -> np.memmap:
    """A token file as ``(n_tokens,)`` uint16, or uint32 where ``width``, the bytes of an id, is 4. Mapped: pages are
    read when touched and shared between processes."""
    shape = None if length is None else (length,)
    return np.memmap(path, dtype=f"<u{width}", mode="r", offset=width * start, shape=shape)
