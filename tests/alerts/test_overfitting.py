"""Validation that turns upwards while training goes on falling."""

from collections.abc import Sequence

from support.curves import setting

from lab.alerts.alert import Alert
from lab.alerts.overfitting import Overfitting


def seen(validation: Sequence[float], training: Sequence[float], **changes: object) -> list[tuple[int, Alert]]:
    """An evaluation every ten steps, with ten training points before each but the first."""
    overfitting = Overfitting(setting(**changes))
    found = []
    for place, (val, train) in enumerate(zip(validation, training, strict=True)):
        for _ in range(10 if place else 0):
            overfitting.see_training(train)
        if (alert := overfitting.see(10 * place, val)) is not None:
            found.append((10 * place, alert))
    return found


TURNING = [6.2, 5.0, 4.5, 4.3, 4.4, 4.55, 4.7, 4.9, 5.1]
FALLING = [6.2, 5.0, 4.4, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5]


def test_it_began_at_the_best_evaluation() -> None:
    ((step, alert),) = seen(TURNING, FALLING)
    assert alert.since == 30
    assert 50 <= step <= 70
    assert "best at step 30 (4.300)" in alert.message
    assert "callbacks=early_stopping" in alert.advice


def test_both_rising_is_another_trouble() -> None:
    assert seen(TURNING, TURNING) == []


def test_one_bad_evaluation_is_none() -> None:
    assert seen([6.2, 5.0, 4.5, 4.7, 4.3, 4.2, 4.1, 4.0, 3.9], FALLING) == []


def test_a_text_of_one_batch_is_to_be_learnt_by_heart() -> None:
    assert seen(TURNING, FALLING, by_heart=True) == []


def test_weights_that_knew_better_from_the_start_forget() -> None:
    """Fine-tuning: every evaluation is worse than the first."""
    ((_, alert),) = seen([3.0, 3.1, 3.3, 3.5, 3.8, 4.1, 4.4, 4.8, 5.2], [3.2, 2.9, 2.6, 2.3, 2.0, 1.7, 1.4, 1.1, 0.8])
    assert alert.since == 0


def test_a_run_that_got_nowhere_does_not_overfit() -> None:
    """Far too high a rate: validation was best before the first step, and the loss comes down from the sky."""
    wild = [6.25, 20.0, 18.0, 16.0, 14.0, 13.0, 12.5, 12.0, 11.5]
    assert seen(wild, [loss + 1 for loss in wild]) == []
