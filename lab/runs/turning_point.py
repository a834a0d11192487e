"""Where a validation loss turns upwards: the model has begun to learn its training text by heart."""

import math
import statistics
from collections.abc import Sequence

_EVALUATIONS = 3
"""That must lie above the lowest one, and be the last: a single bad one is no turn."""
_LEAST_RISE = 0.02
"""Nats a token, some 2 % of the perplexity: what is less is not worth a word."""
_DEVIATIONS = 6.0
"""Of the noise, as far as it is known from a few points: on a level curve the lowest lies two or three of them below
the mean by chance, and some later ones as far above it."""
_MANY = 16
"""Evaluations of which the second half lies behind the steep beginning."""


def rises_since(steps: Sequence[int], losses: Sequence[float]) -> int | None:
    """The step of the lowest validation loss, once the last evaluations lie clearly above it; None: no turn is to be
    seen (yet).

    ``steps`` and ``losses`` are a run's evaluations in their order, nats a token; what is not finite is left out, and
    of two at one step the later counts. Clearly above: the last three evaluations, all of them after the lowest, are
    higher by more than 0.02 nats and by more than six standard deviations of the curve's noise.
    """
    known = {step: loss for step, loss in zip(steps, losses, strict=True) if math.isfinite(loss)}
    places = sorted(known)
    values = [known[step] for step in places]
    if len(values) <= _EVALUATIONS:
        return None
    lowest = min(range(len(values)), key=values.__getitem__)
    level = values[lowest] + max(_LEAST_RISE, _DEVIATIONS * _noise(values, lowest))
    turned = lowest < len(values) - _EVALUATIONS and min(values[-_EVALUATIONS:]) > level
    return places[lowest] if turned else None


def _noise(values: Sequence[float], lowest: int) -> float:
    """The standard deviation of the noise on a curve that falls up to the place ``lowest`` and rises from there, as it
    shows in two ways: how far the curve lies from the nearest one that does, in the mean; and, where there are many
    points, how far each lies from the middle of its neighbours, in the median (the second difference of white noise has
    six times its variance)."""
    fitted = [*_rising(values[: lowest + 1][::-1])[::-1], *_rising(values[lowest + 1 :])]
    distance = sum(abs(value - near) for value, near in zip(values, fitted, strict=True)) / len(values)
    late = values[len(values) // 2 :] if len(values) >= _MANY else []
    bends = [abs(a - 2 * b + c) for a, b, c in zip(late, late[1:], late[2:], strict=False)]
    # Of a normal distribution the mean size is sqrt(2 / pi) deviations, and the median 0.6745.
    return max(distance * math.sqrt(math.pi / 2), statistics.median(bends or [0.0]) / (0.6745 * math.sqrt(6)))


def _rising(values: Sequence[float]) -> list[float]:
    """The rising curve nearest to ``values`` in the least squares (Ayer et al. 1955): neighbours in the wrong order are
    pooled, and stand at their mean."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (right, n_right), (left, n_left) = pools.pop(), pools.pop()
            pools.append(((left * n_left + right * n_right) / (n_left + n_right), n_left + n_right))
    return [mean for mean, count in pools for _ in range(count)]
