"""The order in which a run reads its windows: which one stands at a position, as a pure function of (seed, position).

Up to ``LARGEST_HELD`` windows, each epoch is a permutation drawn at its start, 8 bytes a window. At a billion windows
that would be 8 GB and minutes of waiting. There, the window is computed: a Feistel network (Luby and Rackoff 1988, "How
to construct pseudorandom permutations from pseudorandom functions", https://doi.org/10.1137/0217022) permutes the
numbers of as many bits as ``n_windows`` has. It splits a number into two halves and changes each in turn by a hash of
the other, which can be undone whatever the hash is: so no two numbers come out as one. Numbers that come out too large
are sent through again until they are not (cycle walking, Black and Rogaway 2002,
https://doi.org/10.1007/3-540-45760-7_9): fewer than two rounds on average, since less than half are too large.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

LARGEST_HELD = 2**20
"""Windows whose permutation is drawn and held, as it always was: the order of a run up to here is that of old."""

How = Literal["none", "permutation", "feistel"]
"""``none``: as they stand in the text. ``permutation``: each epoch drawn and held. ``feistel``: computed."""

Order = Callable[[np.ndarray], np.ndarray]
"""Positions, ``(n,)`` int64, to the numbers of windows, ``(n,)`` int64. A position counts on over the epochs."""


def rounds(n_windows: int) -> int:
    """How often the halves are changed. Four times would do for large halves and a perfect hash (Luby and Rackoff). A
    half of a bit or two has few hashes, and takes more until all permutations are alike likely: of five windows, 16
    times can still be told from chance in half a million epochs, 24 cannot."""
    return 32 if n_windows < 2**8 else 12


def suitable(n_windows: int, shuffle: bool = True) -> How:
    """How a new run of ``n_windows`` is shuffled."""
    if not shuffle:
        return "none"
    return "permutation" if n_windows <= LARGEST_HELD else "feistel"


class Shuffle:
    """Every window once an epoch, each epoch in an order of its own: an ``Order``.

    Args:
        n_windows: in an epoch, at least 1.
        seed: with the epoch, decides the order.
        how: see ``How``; by default, what suits ``n_windows``.

    Raises:
        ValueError: if there is no window.
    """

    def __init__(self, n_windows: int, seed: int, how: How | None = None) -> None:
        if n_windows < 1:
            raise ValueError("there is no window to sample from")
        self.n_windows = n_windows
        self.seed = seed
        self.how = how or suitable(n_windows)
        self._held: tuple[int, np.ndarray] = (-1, np.empty(0, dtype=np.int64))  # an epoch, and its permutation

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        epochs, places = np.divmod(positions, self.n_windows)
        if self.how == "none":
            in_order: np.ndarray = places
            return in_order
        windows = np.empty_like(places)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            windows[here] = self._of_epoch(int(epoch), places[here])
        return windows

    def _of_epoch(self, epoch: int, places: np.ndarray) -> np.ndarray:
        if self.how == "feistel":
            # Seeded by the pair, so that epoch 7 can be had without drawing epochs 0 to 6 first.
            keys = np.random.SeedSequence([self.seed, epoch]).generate_state(rounds(self.n_windows), np.uint64)
            return permuted(places, self.n_windows, keys[:, None])
        if self._held[0] != epoch:
            self._held = (epoch, np.random.default_rng([self.seed, epoch]).permutation(self.n_windows))
        windows: np.ndarray = self._held[1][places]
        return windows


def permuted(places: np.ndarray, n: int, keys: np.ndarray) -> np.ndarray:
    """Where a permutation of ``range(n)`` sends ``places``, ``(m,)`` int64 from 0 to n - 1. ``keys``, ``(rounds, 1)``
    uint64, choose the permutation; ``(rounds, m)``: one for each place. Takes memory for ``m`` numbers, whatever ``n``
    is."""
    bits = (n - 1).bit_length()
    found = _feistel(places.astype(np.uint64), bits, keys)
    while len(outside := np.flatnonzero(found >= n)):
        found[outside] = _feistel(found[outside], bits, keys if keys.shape[1] == 1 else keys[:, outside])
    return found.astype(np.int64)


def _feistel(numbers: np.ndarray, bits: int, keys: np.ndarray) -> np.ndarray:
    """A permutation of the numbers of so many ``bits``, which need not be an even number."""
    low = bits // 2
    sizes = (low, bits - low)
    halves = [numbers & np.uint64((1 << low) - 1), numbers >> np.uint64(low)]
    for number, key in enumerate(keys):
        changed, other = number % 2, 1 - number % 2
        halves[changed] = halves[changed] ^ (_hash(halves[other] + key) & np.uint64((1 << sizes[changed]) - 1))
    whole: np.ndarray = halves[0] | (halves[1] << np.uint64(low))
    return whole


def _hash(x: np.ndarray) -> np.ndarray:
    """Each bit of the result depends on all bits of ``x``, uint64: the last steps of MurmurHash3 (Appleby 2011)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        x = (x ^ (x >> np.uint64(33))) * np.uint64(factor)
    mixed: np.ndarray = x ^ (x >> np.uint64(33))
    return mixed
