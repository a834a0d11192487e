"""The statistics of a verdict, against published tables, and against chance itself."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.comparison.student import difference, seeds_to_decide, t_quantile

TABLE = {  # Student's t, two-sided 95 % and one-sided 95 %, 99.5 %, as every textbook prints it
    (0.975, 1): 12.706,
    (0.975, 2): 4.303,
    (0.975, 4): 2.776,
    (0.975, 9): 2.262,
    (0.975, 30): 2.042,
    (0.975, 120): 1.980,
    (0.95, 1): 6.314,
    (0.95, 10): 1.812,
    (0.995, 5): 4.032,
    (0.8, 3): 0.978,
}


@pytest.mark.parametrize(("probability", "freedom"), TABLE)
def test_quantiles_are_those_of_the_tables(probability: float, freedom: int) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(TABLE[probability, freedom], abs=6e-4)


@pytest.mark.slow  # those run where the eval extra is, which brings scipy
@given(st.floats(0.51, 0.999), st.floats(0.6, 500))
def test_quantiles_are_those_of_scipy(probability: float, freedom: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="the eval extra brings scipy")
    assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-8)


def test_one_degree_of_freedom_is_cauchys_distribution() -> None:
    for probability in (0.5, 0.6, 0.75, 0.9, 0.999):
        assert t_quantile(probability, 1) == pytest.approx(math.tan(math.pi * (probability - 0.5)), abs=1e-9)


def test_a_paired_difference_by_hand() -> None:
    # Differences -1, -2, -3: mean -2, deviation 1, so the interval is -2 plus or minus 4.3027 / sqrt(3).
    found = difference([(1, 5.0), (2, 6.0), (3, 7.0)], [(3, 4.0), (2, 4.0), (1, 4.0)])
    assert (found.mean, found.method, found.pairs) == (pytest.approx(-2), "paired", 3)
    assert found.high == pytest.approx(-2 + 4.302653 / math.sqrt(3), abs=1e-5)
    assert found.low == pytest.approx(-2 - 4.302653 / math.sqrt(3), abs=1e-5)
    assert found.outcome == "not decided"
    assert found.more_seeds == 2  # of 5: 2 sqrt(5) = 4.47 >= 2.776 + 0.941; of 4: 4 < 3.182 + 0.978


def test_seeds_of_one_side_alone_are_left_out_of_pairs() -> None:
    found = difference([(1, 5.0), (2, 6.0), (9, 1e9)], [(1, 4.0), (2, 5.0), (8, -1e9)])
    assert (found.mean, found.pairs) == (-1, 2)
    assert found.outcome == "lower"


def test_welch_by_hand() -> None:
    # Variances 1 and 4, three values each: error sqrt(5/3), freedom (5/3)^2 / (1/18 + 16/18) = 50/17.
    found = difference([(1, 1.0), (2, 2.0), (3, 3.0)], [(4, 10.0), (5, 12.0), (6, 14.0)])
    assert (found.method, found.mean, found.outcome, found.more_seeds) == ("Welch", 10.0, "higher", 0)
    assert found.high == pytest.approx(10 + t_quantile(0.975, 50 / 17) * math.sqrt(5 / 3))


def test_one_seed_a_side_decides_nothing() -> None:
    for first, second in (([(1, 1.0)], [(1, 0.1)]), ([(1, 1.0)], [(2, 0.1)]), ([(1, 1.0), (2, 1.0)], [(3, 0.1)])):
        found = difference(first, second)
        assert (found.low, found.high, found.more_seeds, found.outcome) == (None, None, None, "not decided")
        assert found.mean == pytest.approx(-0.9)


def test_what_is_equal_is_not_decided_and_never_will_be() -> None:
    same = [(1, 1.0), (2, 2.0)]
    assert (difference(same, same).outcome, difference(same, same).more_seeds) == ("not decided", None)


def test_the_number_of_seeds_is_that_of_power_tables() -> None:
    # Cohen 1988, table 2.4.1: 80 % at 5 % two-sided; d = 0.5 takes 64 a side, 0.8 takes 26; paired, 34 and 15.
    assert seeds_to_decide(0.5, math.sqrt(2), 2) == 64
    assert seeds_to_decide(0.8, math.sqrt(2), 2) in (25, 26)
    assert seeds_to_decide(0.5, 1.0, 1) == 34
    assert seeds_to_decide(0.8, 1.0, 1) in (14, 15)
    assert seeds_to_decide(0.001, 1.0, 1) is None
    assert seeds_to_decide(0.0, 1.0) is None


@pytest.mark.parametrize("method", ["paired", "Welch"])
def test_intervals_hold_the_true_difference_in_95_of_100_cases(method: str) -> None:
    luck = random.Random(7)
    held = decided = 0
    trials = 1000
    for _ in range(trials):
        shared = {seed: luck.gauss(0, 3) for seed in range(5)}  # what a seed does to both sides alike
        first = [(seed, shared[seed] + luck.gauss(0, 1)) for seed in range(5)]
        if method == "paired":
            second = [(seed, shared[seed] - 1 + luck.gauss(0, 0.5)) for seed in range(5)]
        else:
            second = [(seed + 100, luck.gauss(-1, 0.5)) for seed in range(4)]
        found = difference(first, second)
        assert found.method == method
        assert found.low is not None
        assert found.high is not None
        held += found.low <= -1 <= found.high
        decided += found.outcome == "lower"
    assert held / trials == pytest.approx(0.95, abs=0.021)  # three standard errors
    # The pairs take the seeds' own luck out: they decide far more often with as many runs.
    assert decided / trials > 0.2 if method == "paired" else decided / trials < 0.2


def test_the_proposed_number_of_seeds_decides_four_times_in_five() -> None:
    luck = random.Random(3)
    n = seeds_to_decide(1.0, 1.2, 1)
    assert n is not None
    decided = 0
    for _ in range(600):
        zero = [(seed, 0.0) for seed in range(n)]
        decided += difference(zero, [(seed, luck.gauss(1.0, 1.2)) for seed in range(n)]).outcome == "higher"
    assert decided / 600 == pytest.approx(0.8, abs=0.06)


_VALUES = st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1e9)), min_size=1, max_size=6)


@given(_VALUES, _VALUES)
def test_no_values_are_too_strange(first: list[tuple[int, float]], second: list[tuple[int, float]]) -> None:
    found = difference(first, second)
    assert math.isfinite(found.mean)
    if found.low is not None and found.high is not None:
        assert found.low <= found.mean <= found.high
    assert found.more_seeds is None or 0 <= found.more_seeds <= 1000
