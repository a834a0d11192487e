"""Several corpora in one run, each with its share of the windows.

Which part a position belongs to is computed from the position, with no random numbers: the part of share w has had
floor(w p) of the first p windows, the next one its share of the windows that are left, and so on. So all shares hold at
every moment of a run, to within a window for each part before it, and a run may go on from any position.

The windows of a part are used in an order of its own (``lab.data.shuffle``). Once all have been, the part begins
again, in another order: a small part is passed over more often than a large one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from lab.data.shuffle import How, Shuffle
from lab.data.windows import Batch, NumberedWindows, Windows

_UNIT = 24  # bits of a share: in whole numbers, so that nothing depends on rounding; room for 2^38 windows


@dataclass(frozen=True)
class Piece:
    """A corpus, cut: what trains and what validates, each ``(n_tokens,)``."""

    name: str
    weight: float | None
    """Its share, in whatever unit; None: as many windows as it has."""
    train: np.ndarray
    val: np.ndarray


class MixedOrder:
    """Which window stands at which position, where several parts have their shares: a ``lab.data.shuffle.Order``.

    Windows are numbered through: those of the first part, then those of the second.

    Args:
        sizes: how many windows each part has.
        weights: what each part's share is in proportion to; at least 0, and not all 0.
        seed: with the part and its pass, decides the order.
        how: see ``lab.data.shuffle.How``.

    Raises:
        ValueError: if a part has no window.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], seed: int, how: How) -> None:
        self.sizes = sizes
        self.weights = weights
        self.begins = [0, *accumulate(sizes)]
        own = [int(np.random.SeedSequence([seed, part]).generate_state(1)[0]) for part in range(len(sizes))]
        self.orders = [Shuffle(size, one, how) for size, one in zip(sizes, own, strict=True)]
        # Of the windows that the parts before it leave.
        left = np.cumsum(np.array(weights, dtype=np.float64)[::-1])[::-1]
        self._shares = [round(w / of * 2**_UNIT) if of else 0 for w, of in zip(weights, left, strict=True)]

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        windows = np.empty_like(positions)
        places, open_ = positions.astype(np.int64), np.arange(len(positions))
        for begin, order, share in zip(self.begins, self.orders, self._shares, strict=False):
            before = places * share >> _UNIT  # of this part's, among the places before
            taken = (places + 1) * share >> _UNIT > before
            windows[open_[taken]] = begin + order(before[taken])
            places, open_ = (places - before)[~taken], open_[~taken]
        return windows

    def counts(self, position: int) -> list[int]:
        """How many windows of each part stand before ``position``."""
        found, left = [], position
        for share in self._shares:
            found.append(left * share >> _UNIT)
            left -= found[-1]
        return found


class JoinedWindows(NumberedWindows):
    """The windows of several corpora, numbered through."""

    def __init__(self, parts: Sequence[Windows]) -> None:
        self.parts = parts
        self.begins = [0, *accumulate(map(len, parts))]

    def __len__(self) -> int:
        return self.begins[-1]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A whole batch, ``(batch, context_length)`` twice."""
        rows: list[tuple[Tensor, Tensor]] = []
        for index in indices:
            part = bisect_right(self.begins, index) - 1
            rows.append(self.parts[part][index - self.begins[part]])
        return torch.stack([inputs for inputs, _ in rows]), torch.stack([targets for _, targets in rows])
