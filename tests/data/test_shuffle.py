"""The computed order against the laws of a shuffle: a bijection, each alike likely, and the one of old where it was."""

from collections import Counter
from itertools import islice
from math import factorial

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.data import shuffle
from lab.data.shuffle import LARGEST_HELD, Shuffle, permuted, rounds, suitable
from lab.data.windows import SeekableSampler

few = settings(max_examples=150, deadline=None)


def epoch(n: int, seed: int, number: int = 0, how: shuffle.How = "feistel") -> list[int]:
    order: list[int] = Shuffle(n, seed, how)(np.arange(number * n, (number + 1) * n)).tolist()
    return order


def epochs(n: int, tries: int) -> np.ndarray:
    """Orders by keys of chance, ``(tries, n)``."""
    keys = np.random.default_rng(n).integers(0, 2**64, (rounds(n), tries), dtype=np.uint64)
    return permuted(np.tile(np.arange(n), tries), n, np.repeat(keys, n, axis=1)).reshape(tries, n)


def is_even(counts: np.ndarray, expected: float, freedom: int) -> bool:
    """Chi-square: would chance alone be so uneven more often than once in ten thousand times?"""
    statistic = float(((counts - expected) ** 2 / expected).sum())
    as_even = torch.special.gammainc(torch.tensor(freedom / 2.0).double(), torch.tensor(statistic / 2).double())
    return float(as_even) < 1 - 1e-4


@few
@given(st.integers(1, 3000), st.integers(0, 2**32 - 1), st.integers(0, 5))
@example(1, 0, 0)
@example(2, 0, 0)
@example(3, 0, 0)
@example(2048, 7, 1)
@example(2049, 7, 1)
def test_every_window_comes_once_an_epoch(n: int, seed: int, number: int) -> None:
    assert sorted(epoch(n, seed, number)) == list(range(n))


@few
@given(st.integers(2, 2**50), st.lists(st.integers(0, 2**50), min_size=2, max_size=40, unique=True), st.integers(0, 99))
def test_of_any_number_of_windows_no_two_places_have_the_same(n: int, places: list[int], seed: int) -> None:
    distinct = np.unique(np.array(places) % n)
    keys = np.random.SeedSequence(seed).generate_state(rounds(n), np.uint64)
    found = permuted(distinct, n, keys[:, None])
    assert found.min() >= 0
    assert found.max() < n
    assert len(np.unique(found)) == len(distinct)


@few
@given(st.sampled_from(["none", "permutation", "feistel"]), st.integers(1, 60), st.integers(0, 300), st.integers(0, 9))
def test_a_position_has_its_window_however_it_is_asked_for(how: shuffle.How, n: int, position: int, seed: int) -> None:
    """One by one, in a batch over the border of two epochs, in any order: a pure function."""
    asked = np.random.default_rng(seed).permutation(np.arange(position, position + 70))
    together = Shuffle(n, seed, how)(asked)
    assert together.tolist() == [int(Shuffle(n, seed, how)(np.array([place]))[0]) for place in asked]


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_permutation_of_a_few_is_equally_likely(n: int) -> None:
    orders = epochs(n, 300 * factorial(n))
    counts = Counter(map(tuple, orders.tolist()))
    assert len(counts) == factorial(n)
    assert is_even(np.array(list(counts.values())), 300, factorial(n) - 1)


@pytest.mark.parametrize("n", [5, 6, 12, 16, 23, 300])
def test_windows_and_pairs_of_windows_are_even_over_the_places(n: int) -> None:
    """Over many keys, each window stands as often at each place, and each pair as often at the first two places, at two
    far apart, and behind each other."""
    tries = 400_000 // n
    orders = epochs(n, tries)
    for place in (0, n // 2, n - 1):
        assert is_even(np.bincount(orders[:, place], minlength=n), tries / n, n - 1)
    pairs = n * (n - 1)
    for one, other in ((0, 1), (0, n - 1), (n // 2, n // 2 + 1)):
        counts = np.bincount(orders[:, one] * n + orders[:, other], minlength=n * n)
        assert counts[:: n + 1].sum() == 0
        if tries > 5 * pairs:
            assert is_even(np.delete(counts, np.arange(0, n * n, n + 1)), tries / pairs, pairs - 1)


def test_seeds_and_epochs_are_as_different_as_chance() -> None:
    """The first windows of an epoch and the next, and of a seed and the next."""
    n, tries = 8, 2000
    order = Shuffle(n, 3, "feistel")(np.arange(0, tries * n, n))
    seeds = np.array([Shuffle(n, seed, "feistel")(np.zeros(1, dtype=np.int64))[0] for seed in range(tries)])
    for firsts in (order, seeds):
        assert is_even(np.bincount(firsts[:-1:2] * n + firsts[1::2], minlength=n * n), tries / 2 / n**2, n**2 - 1)


def test_neighbours_are_torn_apart() -> None:
    """At a size where nothing is held: the distances of what follows on each other are those of chance."""
    n = 10**9
    found = Shuffle(n, 1)(np.arange(50_000))
    distances = np.abs(np.diff(found)) / n  # of two even numbers: density 2 (1 - x)
    counts, _ = np.histogram(1 - (1 - distances) ** 2, bins=50, range=(0, 1))
    assert is_even(counts, len(distances) / 50, 49)
    low = np.bincount(found % 64, minlength=64)
    assert is_even(low, len(found) / 64, 63)


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    for how in ("permutation", "feistel"):
        orders = {tuple(epoch(100, seed, number, how)) for seed in range(5) for number in range(5)}
        assert len(orders) == 25
        assert tuple(range(100)) not in orders


def test_small_runs_keep_the_order_that_they_always_had() -> None:
    """What a run of format 4 and before drew for each epoch."""
    assert [suitable(LARGEST_HELD), suitable(LARGEST_HELD + 1), suitable(7, shuffle=False)] == [
        *("permutation", "feistel"),
        "none",
    ]
    handed_out = [window for batch in islice(SeekableSampler(1000, 8, seed=42), 250) for window in batch]
    drawn = [np.random.default_rng([42, number]).permutation(1000) for number in range(2)]
    assert handed_out == np.concatenate(drawn).tolist()


def test_a_large_run_holds_nothing() -> None:
    sampler = SeekableSampler(10**12, 4, seed=1, position=7 * 10**12 - 2)
    first = next(iter(sampler))
    assert first == Shuffle(10**12, 1, "feistel")(np.arange(4) + 7 * 10**12 - 2).tolist()
    order = sampler.order
    assert isinstance(order, Shuffle)
    assert order._held[1].nbytes == 0
