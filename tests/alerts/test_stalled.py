"""A loss that does not move."""

import numpy as np
import pytest
from support.curves import falling, setting

from lab.alerts.alert import Alert
from lab.alerts.stalled import Stalled


def seen(losses: list[float], **changes: object) -> list[tuple[int, Alert]]:
    stalled = Stalled(setting(**changes))
    return [(step, alert) for step, loss in enumerate(losses, 1) if (alert := stalled.see(step, loss))]


def level(n_points: int, loss: float, noise: float = 0.08) -> list[float]:
    return list(loss + noise * np.random.default_rng(3).normal(size=n_points))


def test_frozen_weights_are_noticed_after_twenty_points() -> None:
    ((step, alert),) = seen(level(200, 6.25), lr=1e-9)
    assert (step, alert.since) == (30, 11)
    assert "no better than guessing" in alert.message
    assert "far too low: try optimizer.lr=0.001" in alert.advice


def test_a_run_that_rests_at_the_yardstick_after_sixty() -> None:
    """The best runs rest there too, for thirty points or so."""
    down = [6.2 - step / 20 for step in range(19)]
    assert seen(down + level(40, 5.3) + [5.3 - step / 50 for step in range(60)]) == []
    ((step, alert),) = seen(down + level(150, 5.3), lr=1.0)
    assert 70 < step < 100
    assert "no better than counting single tokens" in alert.message
    assert "far too high" in alert.advice


def test_a_run_that_knows_more_than_that_may_rest() -> None:
    assert seen(falling(60, 0.05, end=4.0, pace=8) + level(300, 4.0)) == []
    assert seen([6.2 - step / 20 for step in range(19)] + level(300, 5.3), yardstick=None) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_slow_fall_is_none(seed: int) -> None:
    """Half a nat in a hundred points."""
    losses = 6.2 - 0.005 * np.arange(200) + 0.05 * np.random.default_rng(seed).normal(size=200)
    assert seen(list(losses)) == []
