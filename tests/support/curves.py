"""Figures of runs, made up: what a detector is shown."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import settings

from lab.alerts.alert import Alert, Setting
from lab.alerts.watch import Watch

same_curves = settings(max_examples=60, deadline=None, derandomize=True)
"""For what holds of nearly all noise: one curve in some thousands alarms by chance, and the next run of the tests would
find it. Always the same curves, and what changes what is said of them is the code."""


def setting(**changes: Any) -> Setting:
    """Of a small run: 512 tokens, four windows of 256, ten steps of warmup."""
    known: dict[str, Any] = {
        "vocab_size": 512,
        "tokens_per_step": 1024,
        "windows_per_step": 4,
        "warmup_steps": 10,
        "lr": 1e-3,
        "clip": 1.0,
        "yardstick": 5.2,
        "rates": (1e-5, 4e-3),
    }
    return Setting(**{**known, **changes})


def falling(n_points: int, noise: float, seed: int = 0, end: float = 3.0, pace: float = 40.0) -> list[float]:
    """A loss that falls from guessing among 512 tokens to ``end``, with normal noise."""
    steps = np.arange(n_points)
    level = end + (6.24 - end) * np.exp(-steps / pace)
    return list(level + noise * np.random.default_rng(seed).normal(size=n_points))


def troubled() -> dict[str, tuple[list[float], list[float], dict[int, float]]]:
    """By kind of alert: training losses, lengths of gradients (none: the usual), validation losses by step."""
    high, spike = falling(60, 0.05, pace=10), falling(200, 0.05)
    high[30] += 3.5
    spike[140:142] = [loss + 2.0 for loss in spike[140:142]]
    turning = {step: 4.0 + abs(step - 100) / 100 for step in range(0, 261, 20)}
    return {
        "rate_too_high": (high, [], {}),
        "loss_spike": (spike, [], {}),
        "above_guessing": ([9.0] * 60, [], {}),
        "stalled": ([6.24] * 60, [], {}),
        "always_clipped": (falling(90, 0.05), [50.0] * 90, {}),
        "overfitting": (falling(260, 0.05), [], turning),
    }


def told(watch: Watch, losses: Sequence[float], norms: Sequence[float] | None = None) -> list[tuple[int, Alert]]:
    """What ``watch`` says, and when, of training losses (and lengths of gradients, or 0.7) at steps 1, 2, ..."""
    found = []
    for place, loss in enumerate(losses):
        figures = {"train_loss": loss, "grad_norm": norms[place] if norms else 0.7, "learning_rate": 1e-3}
        found += [(place + 1, alert) for alert in watch.see(place + 1, figures)]
    return found + [(len(losses), alert) for alert in watch.end()]
