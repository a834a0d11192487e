"""What is proposed is something that can be typed, and that is likelier to work."""

import math

import pytest
from support.curves import setting


def test_a_smaller_rate_is_a_usual_one() -> None:
    assert setting(lr=3e-3).smaller_rate() == "optimizer.lr=0.001"
    assert setting(lr=1.0).smaller_rate() == "optimizer.lr=0.001"  # a third of it would be no better
    assert setting(lr=1.0, rates=None).smaller_rate() == "optimizer.lr=0.3"


@pytest.mark.parametrize(("lr", "said"), [(1e-9, "low: try optimizer.lr=0.001"), (1.0, "high: try optimizer.lr=0.001")])
def test_a_rate_far_outside_goes_back_inside(lr: float, said: str) -> None:
    assert f"far too {said}" in setting(lr=lr).other_rates()


def test_one_inside_is_varied_both_ways() -> None:
    assert setting(lr=1e-3).other_rates().endswith("optimizer.lr=0.003 and optimizer.lr=0.0003")


def test_guessing_is_the_logarithm_of_the_vocabulary() -> None:
    assert setting(vocab_size=50257).guessing == pytest.approx(10.8249, abs=1e-4)
    assert setting(tokens_per_step=10**9, windows_per_step=10**6).expected_noise < 1e-3
    assert setting().expected_noise == pytest.approx(math.hypot(2.5 / 32, 0.25))
