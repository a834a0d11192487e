"""Judging a run afterwards: what its folder says of it, and that the figures come in the order they were written in."""

import copy
from typing import Any

import pytest
from support.curves import falling, setting

from lab.dashboard.trainings.judged import judge, setting_of
from lab.runs.yardsticks import Yardsticks

CONFIG: dict[str, Any] = {
    "model": {"vocab_size": 512, "context_length": 256, "emb_dim": 128},
    "data": {"batch_size": 2},
    "trainer": {"accumulate_grad_batches": 2, "devices": 1, "num_nodes": 1, "gradient_clip_val": 1.0},
    "optimizer": {"_target_": "torch.optim.AdamW", "lr": 1e-3, "weight_decay": 0.1, "betas": [0.9, 0.95]},
    "schedule": {"warmup_steps": None, "total_steps": None},
}
LEVELS = Yardsticks(unigram_train_loss=5.2, training_tokens=50_000)


def test_what_was_known_before_the_first_figure() -> None:
    found = setting_of(CONFIG, 100, LEVELS)
    assert found == setting(rates=(2e-5, 0.007))  # warmup: a tenth of the run
    by_heart = setting_of(CONFIG, 100, Yardsticks(training_tokens=1025))
    assert by_heart is not None
    assert by_heart.by_heart
    assert by_heart.yardstick is None
    own = {**CONFIG, "optimizer": {"_target_": "mine.Own", "lr": 1}, "schedule": {"warmup_steps": 3}}
    found = setting_of(own, 100, LEVELS)
    assert found is not None
    assert (found.rates, found.warmup_steps) == (None, 3)


@pytest.mark.parametrize(
    "change", [{"model": None}, {"data": {}}, {"trainer": []}, {"optimizer": {"lr": "fast"}}, {"schedule": 7}]
)
def test_options_that_are_none_are_judged_by_nobody(change: dict[str, Any]) -> None:
    assert setting_of({**copy.deepcopy(CONFIG), **change}, 100, LEVELS) is None
    assert setting_of({}, 100, LEVELS) is None


def test_a_long_log_is_judged_at_some_of_its_points() -> None:
    """A level that the loss leaves for good is as high at every second point."""
    losses = falling(12_000, 0.05, pace=400)
    losses[9000:] = [loss + 2.0 for loss in losses[9000:]]
    steps = list(range(1, len(losses) + 1))
    evaluations = ([0, 6000, 12_000], [6.2, 3.1, 5.1])
    curves = {"train_loss": (steps, losses), "grad_norm": (steps, [0.5] * len(steps)), "val_loss": evaluations}
    ((told, alert),) = judge(setting(), curves)
    assert alert.what == "rate_too_high"
    assert 9001 <= alert.since <= 9003
    assert told < 9030
