"""Gradients that are clipped whatever the batch."""

from support.curves import setting

from lab.alerts.clipped import Clipped


def seen(norms: list[float], clip: float | None = 1.0) -> list[tuple[int, int, str]]:
    clipped = Clipped(setting(clip=clip))
    found = [(step, clipped.see(step, norm)) for step, norm in enumerate(norms, 1)]
    return [(step, alert.since, alert.advice) for step, alert in found if alert is not None]


def test_fifty_in_a_row_and_much() -> None:
    ((step, since, advice),) = seen([700.0 + place % 9 for place in range(200)])
    assert (step, since) == (60, 11)  # the ten of the warmup do not count
    assert "trainer.gradient_clip_val=1000" in advice


def test_now_and_then_or_a_little_is_what_clipping_is_for() -> None:
    assert seen([700.0] * 49 + [0.5] + [700.0] * 49) == []
    assert seen([3.0] * 300) == []
    assert seen([700.0] * 300, clip=None) == []


def test_again_only_after_it_was_over() -> None:
    assert len(seen([9.0] * 100 + [0.5] * 60 + [9.0] * 100)) == 2
