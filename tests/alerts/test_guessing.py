"""A loss that is no better than guessing, and worse."""

import math

from support.curves import falling, setting

from lab.alerts.guessing import Guessing


def first(losses: list[float], warmup_steps: int = 10) -> tuple[int, int, str] | None:
    guessing = Guessing(setting(warmup_steps=warmup_steps))
    for step, loss in enumerate(losses, 1):
        if (alert := guessing.see(step, loss)) is not None:
            return step, alert.since, alert.message
    return None


def test_a_run_that_never_came_below_is_told_of() -> None:
    step, since, message = first([9.0] * 40) or (0, 0, "")
    assert (step, since) == (20, 11)  # ten points after the warmup
    assert "9.00" in message
    assert f"{math.log(512):.2f}" in message


def test_first_weights_may_cost_a_little_and_warmup_takes_its_time() -> None:
    assert first([6.24 + 0.3] * 300) is None
    assert first([9.0] * 300, warmup_steps=300) is None
    assert first([7.5] * 12 + falling(200, 0.1)) is None


def test_what_was_below_is_no_business_of_this_one() -> None:
    assert first([6.0] + [12.0] * 100) is None
