"""Jumps, and losses that do not come down again."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.curves import falling, same_curves, setting

from lab.alerts.alert import Alert
from lab.alerts.rising import Rising


def seen(losses: list[float], **changes: Any) -> list[tuple[int, Alert]]:
    rising = Rising(setting(**changes))
    found = [(step, alert) for step, loss in enumerate(losses, 1) if (alert := rising.see(step, loss))]
    return found + [(len(losses), alert) for alert in [rising.end()] if alert]


@same_curves
@given(st.integers(0, 10**6), st.floats(0.0, 0.25), st.floats(5, 200), st.integers(60, 300))
def test_a_loss_that_falls_is_quiet(seed: int, noise: float, pace: float, n_points: int) -> None:
    assert seen(falling(n_points, noise, seed, pace=pace)) == []


@same_curves
@given(st.integers(0, 10**6), st.sampled_from([16, 64, 256, 1024]), st.floats(20, 200))
def test_noise_that_grows_with_what_is_learnt_is_quiet(seed: int, tokens: int, pace: float) -> None:
    """To who guesses, all tokens are alike; who has learnt something finds some easy, and others hard."""
    level = np.array(falling(400, 0.0, end=3.0, pace=pace))
    learnt = (level[0] - level) / (level[0] - 3.0)
    losses = level + 2.5 / math.sqrt(tokens) * learnt * np.random.default_rng(seed).normal(size=400)
    assert seen(list(losses), tokens_per_step=tokens, windows_per_step=1) == []


@same_curves
@given(st.integers(0, 10**6), st.floats(0.0, 0.12), st.integers(15, 45))
def test_while_a_run_begins_a_jump_is_the_rates_doing(seed: int, noise: float, place: int) -> None:
    """In the midst of the steepest fall, where the spread of the last losses would be several nats."""
    losses = falling(60, noise, seed, pace=10)
    losses[place] += 3.5
    ((step, alert),) = seen(losses)
    assert (step, alert.what, alert.since) == (place + 1, "rate_too_high", place + 1)
    assert "optimizer.lr=0.0003" in alert.advice
    assert "schedule.warmup_steps=20" in alert.advice


@pytest.mark.parametrize(
    ("losses", "at"),
    [
        ([6.2, 9.6, 14.0, 12.0, 9.0], 2),  # at once, and down from there: all that comes after looks like learning
        ([6.3, 6.1, 9.8, 8.0], 3),
        ([5.1, 4.9, 9.8, 9.0], 4),  # begins with weights that know the text: its level has to be learnt first
        ([30.0, 25.0, 31.0, 20.0], None),  # first weights that are far too large are no jump
    ],
)
def test_a_jump_of_the_first_steps_is_seen_from_where_a_fresh_model_begins(losses: list[float], at: int | None) -> None:
    """As with ``optimizer.lr=1e-1 schedule.warmup_steps=0`` at a width of 64: 10.8, 9.6, 17.1, 13.7 ..."""
    found = [step for step, _ in seen(losses + falling(60, 0.05, pace=10)[5:], warmup_steps=0)]
    assert found == ([] if at is None else [at])


@same_curves
@given(st.integers(0, 10**6), st.floats(0.01, 0.1), st.integers(60, 180), st.integers(1, 4))
def test_later_one_that_comes_back_is_a_spike(seed: int, noise: float, place: int, length: int) -> None:
    losses = falling(200, noise, seed)
    for bad in range(place, place + length):
        losses[bad] += 2.0
    ((step, alert),) = seen(losses)
    assert (step, alert.what, alert.since) == (place + length + 1, "loss_spike", place + 1)
    assert "came back" in alert.message


def test_and_one_that_stays_is_a_rate_that_is_too_high() -> None:
    losses = falling(200, 0.05)
    losses[120:] = [loss + 2.0 for loss in losses[120:]]
    ((step, alert),) = seen(losses)
    assert (step, alert.what, alert.since) == (125, "rate_too_high", 121)
    assert "warmup" not in alert.advice


def test_a_rise_in_small_steps_is_one_too() -> None:
    losses = falling(120, 0.05) + [3.2 + 0.03 * step + 0.05 * (step % 3) for step in range(80)]
    ((_, alert),) = seen(losses)
    assert alert.what == "rate_too_high"
    assert 120 < alert.since < 160


def test_a_spike_that_the_run_ends_in_is_told() -> None:
    losses = falling(200, 0.05)
    losses[-2:] = [9.0, 9.5]
    ((step, alert),) = seen(losses)
    assert (step, alert.what, alert.since) == (200, "loss_spike", 199)
    assert alert.message.endswith("to 9.50")


def test_a_new_level_is_taken_for_usual_in_the_end() -> None:
    """Told once, and then judged by where it lies now."""
    losses = falling(200, 0.05) + [8 + 0.1 * (step % 2) for step in range(100)]
    losses[-5] = 20.0
    assert [alert.what for _, alert in seen(losses)] == ["rate_too_high", "loss_spike"]


@pytest.mark.parametrize("warmup_steps", [0, 10, 400])
def test_the_beginning_is_as_long_as_the_warmup_twice(warmup_steps: int) -> None:
    losses = falling(200, 0.05)
    losses[150] += 3.0
    ((_, alert),) = seen(losses, warmup_steps=warmup_steps)
    assert alert.what == ("rate_too_high" if warmup_steps == 400 else "loss_spike")
