"""The figures of real runs, planted with one fault each or with none; and made-up ones without number.

``recorded.json`` has what small models wrote in training on the fables (and the lab's own experiments): by name, the
setting, and the curves, rounded.
"""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.curves import falling, same_curves, setting, told

from lab.alerts.alert import Alert, Setting
from lab.alerts.watch import Watch

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded.json").read_text())

PLANTED = {
    "rate 1e-2, falling": [("rate_too_high", 13, 13)],  # from 7.0 to 10.3 and back, while the loss falls
    "rate 1e-2, the page's tiny model": [("rate_too_high", 12, 12)],
    "rate 1e-1": [("rate_too_high", 10, 10)],
    "rate 1": [("rate_too_high", 3, 3)],
    "rate 3e-2": [("stalled", 31, 90)],  # falls to where single tokens are counted, and rests there
    "rate 1e-9": [("stalled", 9, 28)],
    "limit 1e-3": [("always_clipped", 31, 80)],
    "3,000 tokens": [("overfitting", 120, 300)],
}
"""By name: the alerts, each with the step where it began, and where it was told."""


def judged(name: str, every: int = 1) -> list[tuple[str, int, int]]:
    """What is told of a recorded run, if every so many points of it had been written."""
    run = RECORDED[name]
    watch = Watch(Setting(**run["setting"]))
    found: list[tuple[str, int, int]] = []

    def see(step: int, figures: dict[str, float]) -> None:
        found.extend((alert.what, alert.since, step) for alert in watch.see(step, figures))

    for step in range(len(run["train_loss"]) + 1):
        if step and step % every == 0:
            see(step, {"train_loss": run["train_loss"][step - 1], "grad_norm": run["grad_norm"][step - 1]})
        if str(step) in run["val_loss"]:
            see(step, {"val_loss": run["val_loss"][str(step)]})
    return found + [(alert.what, alert.since, step) for alert in watch.end()]


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_fault_is_told_once_where_it_began(name: str) -> None:
    assert judged(name) == PLANTED[name]


@pytest.mark.parametrize("name", sorted(RECORDED.keys() - PLANTED.keys()))
@pytest.mark.parametrize("every", [1, 2, 5])
def test_runs_without_a_fault_are_quiet(name: str, every: int) -> None:
    """The lab's presets among them."""
    assert judged(name, every) == []


@same_curves
@given(
    st.integers(0, 10**6), st.floats(0.0, 0.25), st.floats(5, 150), st.floats(2.0, 4.8), st.sampled_from([0, 10, 60])
)
def test_no_healthy_curve_alarms(seed: int, noise: float, pace: float, end: float, warmup_steps: int) -> None:
    losses = falling(400, noise, seed, end=end, pace=pace)
    watch = Watch(setting(warmup_steps=warmup_steps))
    found = told(watch, losses)
    for step, loss in zip(range(0, 400, 40), falling(10, 0.02, seed, end=end, pace=pace / 40), strict=True):
        found += [(step, alert) for alert in watch.see(step, {"val_loss": loss})]
    assert found == []


def test_one_cause_is_one_alert() -> None:
    """A rate that throws the loss above guessing for good is not also stalled, and not always clipped."""
    losses = falling(15, 0.05) + [40.0 + step % 3 for step in range(60)]
    assert [alert.what for _, alert in told(Watch(setting()), losses, [9.0] * len(losses))] == ["rate_too_high"]


def test_a_batch_in_ten_that_is_bad_is_told_now_and_then() -> None:
    losses = falling(400, 0.05)
    losses[100::10] = [9.0] * 30
    spikes = [step for step, alert in told(Watch(setting()), losses) if alert.what == "loss_spike"]
    assert 5 <= len(spikes) <= 7
    assert min(after - before for before, after in pairwise(spikes)) >= 50


def test_what_is_no_number_is_passed_over() -> None:
    watch = Watch(setting())
    for step, figures in enumerate(({"train_loss": math.nan}, {"grad_norm": math.inf}, {"mine": 3.0}, {}), 1):
        assert watch.see(step, figures) == []


def test_every_alert_says_what_to_try() -> None:
    """With a value that can be typed."""
    found: list[Alert] = []
    losses = [*falling(80, 0.05), 9.0, *falling(20, 0.05, end=3.0, pace=1.0)[4:]]
    found += [alert for _, alert in told(Watch(setting()), losses)]
    found += [alert for _, alert in told(Watch(setting()), [9.0] * 60)]
    found += [alert for _, alert in told(Watch(setting()), [6.24] * 60)]
    found += [alert for _, alert in told(Watch(setting()), falling(90, 0.05), [50.0] * 90)]
    assert {alert.what for alert in found} == {"loss_spike", "above_guessing", "stalled", "always_clipped"}
    for alert in found:
        assert "try " in alert.advice
        assert "=" in alert.advice
        assert not alert.message.endswith(".")
