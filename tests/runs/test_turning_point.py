"""Where validation turns upwards: found where somebody who draws the curve by hand would put it, and nowhere else."""

import math
import random

import pytest

from lab.runs.turning_point import rises_since


def bowl(turn: int, n: int, rise: float) -> list[float]:
    """Falls as a training does, and from ``turn`` on rises by so much at each evaluation."""
    falling = [2 + 6 * math.exp(-place / 5) for place in range(turn + 1)]
    return falling + [falling[-1] + rise * (place - turn) for place in range(turn + 1, n)]


@pytest.mark.parametrize(("turn", "n"), [(3, 10), (6, 10), (10, 40), (30, 40)])
def test_the_step_of_the_lowest_one(turn: int, n: int) -> None:
    steps = [20 * place for place in range(n)]
    assert rises_since(steps, bowl(turn, n, 0.05)) == 20 * turn


def test_it_is_said_as_soon_as_three_evaluations_lie_above_it_and_not_before() -> None:
    losses = bowl(6, 20, 0.05)
    known = [rises_since(range(n), losses[:n]) for n in range(21)]
    # By 0.05 the first of the three is clearly above; before the third nothing is said.
    assert known[:10] == [None] * 10
    assert known[10:] == [6] * 11


def test_noise_of_any_size_is_no_turn_and_a_turn_is_seen_through_it() -> None:
    chance = random.Random(1)
    wrong = missed = 0
    for trial in range(300):
        deviation = (0.002, 0.02, 0.1)[trial % 3]
        level = [4 + 4 * math.exp(-place / 4) + chance.gauss(0, deviation) for place in range(40)]
        wrong += rises_since(range(40), level) is not None
        turning = [loss + chance.gauss(0, deviation) for loss in bowl(12, 40, 3 * deviation)]
        found = rises_since(range(40), turning)
        missed += found is None or abs(found - 12) > 3
    assert wrong <= 1
    assert missed <= 3


def test_what_falls_again_below_its_lowest_has_not_turned() -> None:
    assert rises_since(range(8), [5, 3, 3.5, 3.6, 3.7, 2.9, 2.8, 2.7]) is None
    assert rises_since(range(8), [5, 3, 3.5, 3.6, 3.7, 3.65, 3.6, 3.55]) == 1  # still far above it
    assert rises_since(range(8), [5, 3, 3.5, 3.6, 3.7, 3.4, 3.2, 3.01]) is None


def test_odd_logs_have_an_answer_too() -> None:
    assert rises_since([], []) is None
    assert rises_since(range(9), [math.nan] * 9) is None
    assert rises_since(range(9), [9, 4, math.inf, 4.2, math.nan, 4.4, 4.5, 4.6, 4.7]) == 1
    # Of two evaluations at one step, an extra one that somebody has asked for say, the later counts.
    assert rises_since([0, 1, 1, 2, 3, 4, 5], [9, 8, 4, 4.3, 4.4, 4.5, 4.6]) == 1
