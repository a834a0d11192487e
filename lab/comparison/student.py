"""Is a difference of two means more than luck? Student's t, paired or Welch's, and how many seeds would tell.

Losses of several seeds of one set of options scatter about normally around the loss that one would find over endlessly
many seeds. All that is claimed here rests on that, and on seeds being drawn independently.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

LEVEL = 0.95
"""Of the intervals: so many of a hundred of them hold the true difference."""
POWER = 0.8
"""How likely the number of seeds that is proposed shall decide, if the difference is what it seems to be."""
MOST_SEEDS = 1000
"""Nobody runs more, and no number beyond it is worth a formula's trust."""
_TINY = 1e-300


@dataclass(frozen=True)
class Difference:
    """The mean of the second side minus that of the first, in the unit of the values."""

    mean: float
    low: float | None
    """The ends of the interval; None where there are too few values for one."""
    high: float | None
    method: Literal["paired", "Welch", "none"]
    """paired: Student's t on the differences within each seed; Welch: on two independent samples; none: one value a
    side says nothing about chance."""
    pairs: int
    """Seeds that both sides have; 0 for ``Welch``."""
    more_seeds: int | None
    """How many more seeds a side would decide it: see ``seeds_to_decide``. 0 if it is decided; None if nobody can
    tell, or more than ``MOST_SEEDS`` would be needed."""

    @property
    def outcome(self) -> Literal["lower", "higher", "not decided"]:
        """Where the second side lies: outside of chance on one side, or not."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return "not decided"
        return "lower" if self.high < 0 else "higher"


def difference(first: Sequence[tuple[int, float]], second: Sequence[tuple[int, float]]) -> Difference:
    """``second`` minus ``first``; each is a list of (seed, value).

    Where two seeds or more are on both sides, those are paired: what the seed decides on both sides alike (the order of
    the text, much of the luck) drops out. Seeds that one side alone has are then left out. Else Welch's t (B. L. Welch,
    "The generalization of 'Student's' problem when several different population variances are involved", Biometrika 34,
    1947), with two values a side at least.
    """
    one, other = dict(first), dict(second)
    seeds = sorted(one.keys() & other.keys())
    if len(seeds) >= 2:
        return _paired([other[seed] - one[seed] for seed in seeds])
    a, b = [value for _, value in first], [value for _, value in second]
    if min(len(a), len(b)) >= 2:
        return _welch(a, b)
    # With one seed on both sides, the difference within it is the better guess; it says nothing about chance.
    mean = other[seeds[0]] - one[seeds[0]] if seeds else _mean(b) - _mean(a)
    return Difference(mean, None, None, "none", len(seeds), None)


def seeds_to_decide(mean: float, deviation: float, samples: int = 1) -> int | None:
    """The smallest number of seeds a side, n, for which a difference would be decided with a probability of ``POWER``:

        |mean| sqrt(n) / deviation >= t(1 - 0.05 / 2, f) + t(POWER, f),    f = samples (n - 1)

    That is the usual approximation to the power of a t test (J. Cohen, Statistical Power Analysis, 1988, chapter 2). It
    assumes that the true difference and deviation are those that were observed, and of few seeds that is a rough guess.

    Args:
        mean: the difference of the means.
        deviation: standard deviation of the difference of one value a side.
        samples: 1 if the values are paired, 2 if they are independent.

    Returns: None if the difference is 0, or more than ``MOST_SEEDS`` are needed.
    """
    if not deviation < abs(mean) * MOST_SEEDS:  # also of no difference at all
        return None
    # The normal's quantiles are smaller than those of t, so that no fewer can do.
    fewest = min(MOST_SEEDS + 1, max(2, math.ceil((2.8 * deviation / mean) ** 2)))
    for n in range(fewest, MOST_SEEDS + 1):
        needed = t_quantile(0.5 + LEVEL / 2, samples * (n - 1)) + t_quantile(POWER, samples * (n - 1))
        if abs(mean) * math.sqrt(n) >= deviation * needed:
            return n
    return None


@lru_cache(4096)
def t_quantile(probability: float, freedom: float) -> float:
    """The value below which Student's t with ``freedom`` degrees of freedom (any number above 0) stays with a
    probability of 0.5 or more, below 1.

    By Newton's method from 0: there the probability grows ever more slowly, so that each step falls short of the value,
    and none goes beyond it.
    """
    log_peak = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    t = 0.0
    for _ in range(200):
        density = math.exp(log_peak - (freedom + 1) / 2 * math.log1p(t * t / freedom))
        step = (probability - _t_probability(t, freedom)) / density
        t += step
        if step <= 1e-12 * t:
            break
    return t


def _t_probability(t: float, freedom: float) -> float:
    """Of Student's t lying below ``t``, at least 0 (Abramowitz and Stegun 1964, 26.7.1)."""
    return 1 - _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # there the fraction converges slowly, and that of the other end fast
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    # Lentz's way through a continued fraction: the ratios of its numerators and denominators, from the front.
    value = numerator = 1.0
    denominator = 0.0
    for step in range(1000):
        m, odd = divmod(step, 2)
        if step == 0:
            term = 1.0
        elif odd:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        denominator = 1 / _nonzero(1 + term * denominator)
        numerator = _nonzero(1 + term / numerator)
        value *= numerator * denominator
        if step and abs(numerator * denominator - 1) < 1e-15:
            break
    return math.exp(front) * (value - 1) / a


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _paired(differences: list[float]) -> Difference:
    n, mean = len(differences), _mean(differences)
    deviation = math.sqrt(_variance(differences))
    half = t_quantile(0.5 + LEVEL / 2, n - 1) * deviation / math.sqrt(n)
    return Difference(mean, mean - half, mean + half, "paired", n, _more(mean, half, deviation, n, 1))


def _welch(a: list[float], b: list[float]) -> Difference:
    of_a, of_b = _variance(a) / len(a), _variance(b) / len(b)
    mean, error = _mean(b) - _mean(a), math.sqrt(of_a + of_b)
    half = 0.0
    if parts := of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1):
        freedom = (of_a + of_b) ** 2 / parts
        half = t_quantile(0.5 + LEVEL / 2, freedom) * error
    deviation = math.sqrt(_variance(a) + _variance(b))  # of the difference of one value each
    more = _more(mean, half, deviation, min(len(a), len(b)), 2)
    return Difference(mean, mean - half, mean + half, "Welch", 0, more)


def _more(mean: float, half: float, deviation: float, there: int, samples: int) -> int | None:
    if half < abs(mean):
        return 0
    needed = seeds_to_decide(mean, deviation, samples)
    # Those that are there may be as many and have not decided it: what is promised is a probability.
    return None if needed is None else max(1, needed - there)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    """The unbiased one."""
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
