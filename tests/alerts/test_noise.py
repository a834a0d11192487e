"""The noise of a loss is the noise, however steep the loss falls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.curves import same_curves

from lab.alerts.noise import JUDGED, Noise


def measured(losses: list[float], expected: float = 9.0) -> float:
    noise = Noise(expected)
    for loss in losses:
        noise.add(loss)
    return noise.usual


@same_curves
@given(st.integers(0, 10**6), st.floats(0.01, 1.0), st.floats(0.0, 1.0))
def test_a_fall_is_no_noise(seed: int, deviation: float, slope: float) -> None:
    """Up to a fall of one deviation a point: the spread of such losses would be thirty times as large."""
    steps = np.arange(105)
    losses = 10 - slope * deviation * steps + deviation * np.random.default_rng(seed).normal(size=105)
    assert 0.2 * deviation < measured(list(losses)) < 1.6 * deviation


def test_what_is_judged_does_not_measure() -> None:
    """A run whose last points climb by ten is no noisier for it."""
    quiet = [5 + 0.1 * (place % 2) for place in range(60)]
    climbing = [15.0 + 10 * place for place in range(JUDGED)]
    assert measured(quiet + climbing) == pytest.approx(0.1)


def test_too_few_points_are_guessed_at() -> None:
    assert measured([5.0, 5.1, 5.0, 5.1]) == 9.0
    noise = Noise(0.2)
    assert noise.largest(0.3) == pytest.approx(1.2)
    for place in range(60):
        noise.add(5 + 0.001 * (place % 2))
    assert noise.largest(0.3) == 0.3
