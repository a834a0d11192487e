"""The order of a mixture against its laws: a pure function, exact shares at every moment, each pass a shuffle."""

from collections import Counter

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.data.mixture import JoinedWindows, MixedOrder
from lab.data.windows import Windows

few = settings(max_examples=40, deadline=None)
sizes_and_weights = st.lists(
    st.tuples(st.integers(1, 30), st.one_of(st.just(0.0), st.floats(0.001, 1000))), min_size=1, max_size=5
).filter(lambda parts: sum(weight for _, weight in parts) > 0)


def parts_and_windows(order: MixedOrder, positions: np.ndarray) -> list[tuple[int, int]]:
    windows = order(positions)
    parts = np.searchsorted(order.begins, windows, side="right") - 1
    return list(zip(parts.tolist(), (windows - np.array(order.begins)[parts]).tolist(), strict=True))


@few
@given(sizes_and_weights, st.integers(0, 10**9), st.integers(0, 2**32 - 1))
def test_shares_hold_at_every_moment(parts: list[tuple[int, float]], start: int, seed: int) -> None:
    sizes, weights = zip(*parts, strict=True)
    order = MixedOrder(sizes, weights, seed, "feistel")
    here = Counter(dict(enumerate(order.counts(start))))
    for position, (part, window) in enumerate(parts_and_windows(order, np.arange(start, start + 100)), start=start):
        assert 0 <= window < sizes[part]
        here[part] += 1
        assert sum(here.values()) == position + 1
        for number, weight in enumerate(weights):
            # A share is a whole number of 2^-24: over a thousand million windows that is felt.
            slack = len(parts) * (1 + position * 2**-24)
            assert abs(here[number] - (position + 1) * weight / sum(weights)) < slack
    assert [here[number] for number in range(len(parts))] == order.counts(start + 100)


@few
@given(sizes_and_weights, st.integers(0, 500), st.sampled_from(["none", "permutation", "feistel"]), st.integers(0, 9))
def test_it_is_a_pure_function(parts: list[tuple[int, float]], start: int, how: str, seed: int) -> None:
    sizes, weights = zip(*parts, strict=True)
    asked = np.random.default_rng(seed).permutation(np.arange(start, start + 60))
    together = MixedOrder(sizes, weights, seed, how)(asked)  # type: ignore[arg-type]
    one_by_one = [MixedOrder(sizes, weights, seed, how)(np.array([p]))[0] for p in asked]  # type: ignore[arg-type]
    assert together.tolist() == one_by_one


def test_small_parts_come_again_in_another_order() -> None:
    order = MixedOrder([5, 100], [1, 1], 3, "permutation")
    told = parts_and_windows(order, np.arange(40))
    small = [window for part, window in told if part == 0]
    passes = [small[begin : begin + 5] for begin in range(0, 20, 5)]
    assert all(sorted(one) == list(range(5)) for one in passes)
    assert len(set(map(tuple, passes))) == 4
    large = [window for part, window in told if part == 1]
    assert len(set(large)) == 20
    # Parts of one size are not used in one and the same order.
    twins = parts_and_windows(MixedOrder([50, 50], [1, 1], 3, "permutation"), np.arange(60))
    assert [w for p, w in twins if p == 0] != [w for p, w in twins if p == 1]


def test_windows_of_parts_are_those_of_each() -> None:
    parts = [Windows(np.arange(100, dtype=np.uint16), 10), Windows(np.arange(500, 900, dtype=np.uint16), 10, 3)]
    joined = JoinedWindows(parts)
    assert len(joined) == sum(map(len, parts))
    inputs, targets = joined.__getitems__([0, len(parts[0]) - 1, len(parts[0]), len(joined) - 1])
    expected = [parts[0][0], parts[0][-1], parts[1][0], parts[1][-1]]
    assert torch.equal(inputs, torch.stack([one for one, _ in expected]))
    assert torch.equal(targets, torch.stack([one for _, one in expected]))
    assert torch.equal(joined[-1][0], parts[1][-1][0])
