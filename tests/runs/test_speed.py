"""The mean rate is all tokens by all seconds, and no mean of rates."""

import math

import pytest

from lab.runs.speed import mean_rate


def test_it_is_tokens_by_seconds() -> None:
    # Steps of 100 tokens: ten in 1 s, ten in 10 s, twenty in 4 s, behind a slow first one.
    rates = [1000 / 50, 1000 / 1, 1000 / 10, 2000 / 4]
    assert mean_rate([10, 20, 30, 50], rates) == pytest.approx(4000 / 15)


def test_of_one_interval_it_is_that_and_of_none_there_is_none() -> None:
    assert mean_rate([5], [700.0]) == pytest.approx(700)
    assert mean_rate([], []) is None
    assert mean_rate([5, 9], [0.0, math.nan]) is None
