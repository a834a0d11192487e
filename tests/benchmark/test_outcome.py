"""Medians, ratios and what is noted beside them, from rounds that are made up."""

from typing import Any

import pytest

from lab.benchmark import outcome, report
from lab.benchmark.cases import Case
from lab.benchmark.outcome import Spread
from lab.benchmark.processes import Sample
from lab.benchmark.rounds import Round

CASE = Case("training", "training nano", ("lab", "other", "products"), (), "tokens", 100.0, 1.0)


def a_round(counts: str, lab: float, other: float, products: float = 0.5) -> Round:
    samples = {"lab": Sample(2 * lab, 2, 10), "other": Sample(2 * other, 2, 30), "products": Sample(2 * products, 2, 5)}
    return Round(("lab", "other", "products"), samples, 0.0, counts)  # type: ignore[arg-type]


ROUNDS = [a_round("no: warm-up", 50, 1), a_round("yes", 1, 2), a_round("yes", 2, 3), a_round("yes", 4, 4)]


def test_ratios_are_of_each_round_and_not_of_the_medians() -> None:
    found = outcome.make(CASE, 2, ROUNDS, {}, {})
    lab, other, products = found.sides
    assert lab.seconds == Spread(2, 1.5, 3)
    assert lab.rate == 50
    assert other.times_lab == Spread(1.5, 1.25, 1.75)
    assert lab.share_of_limit == Spread(0.25, 0.1875, 0.375)
    assert (lab.peak, other.peak) == (10, 30)
    assert products.times_lab is not None
    assert "1.50 (1.25 to 1.75)" in report.as_text([found])


def test_a_side_without_rounds_has_no_figures_and_a_reason() -> None:
    without = [Round(("lab",), {"lab": Sample(1, 1, 1)}, 0.0, "yes")]
    found = outcome.make(CASE, 2, without, {}, {"other": "ended by signal 9"})
    assert found.sides[1].seconds is found.sides[1].times_lab is None
    assert "other: ended by signal 9" in report.as_text([found])


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"parameters": 6}, "other has 6 parameters, the lab 5"),
        ({"first_loss": 9.0}, "other begins at a loss of 9.00, the lab at 10.80"),
        ({"tokens": 7}, "other makes 7 tokens, the lab 8"),
        ({"differs": ["no dropout"]}, "other no dropout"),
        ({"parameters": 5, "first_loss": 10.9, "tokens": 8}, None),
    ],
)
def test_other_work_is_noted(theirs: dict[str, Any], said: str | None) -> None:
    facts: dict[str, dict[str, Any]] = {"lab": {"parameters": 5, "first_loss": 10.8, "tokens": 8}, "other": theirs}
    assert outcome.make(CASE, 2, ROUNDS, facts, {}).notes == ([said] if said else [])


def test_disturbed_rounds_are_noted() -> None:
    rounds = [a_round("yes, though others were busy", 1, 1), a_round("no: others were busy", 1, 1)]
    (note,) = outcome.make(CASE, 2, rounds, {}, {}).notes
    assert note == "others were busy: 2 rounds were disturbed, 1 of them count all the same"
