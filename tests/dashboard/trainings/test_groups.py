"""Groups of runs, against the arithmetic of the standard library."""

import statistics

import pytest
from support.rows import row

from lab.dashboard.trainings.groups import differing, grouped

LOSSES = {(1e-3, 1): 2.0, (1e-3, 2): 2.2, (1e-3, 3): 2.7, (3e-3, 1): 1.0, (3e-3, 2): "NaN"}
ROWS = [
    row(n, {"optimizer": {"lr": lr}, "seed": seed, "save": seed == 1, "name": f"n{n}"}, best_val_loss=loss)
    for n, ((lr, seed), loss) in enumerate(LOSSES.items())
]


def test_mean_and_spread_over_seeds() -> None:
    high, low = grouped(ROWS, ["optimizer.lr"], "best_val_loss")
    losses = [2.0, 2.2, 2.7]
    assert (high.options, high.count, high.seeds, high.measured) == ({"optimizer.lr": 1e-3}, 3, 3, 3)
    assert high.mean == pytest.approx(statistics.fmean(losses))
    assert high.deviation == pytest.approx(statistics.stdev(losses))
    assert (high.low, high.high, high.runs) == (2.0, 2.7, ["0", "1", "2"])
    assert (low.count, low.measured, low.mean, low.deviation) == (2, 1, 1.0, None)


def test_by_every_option_but_what_is_luck_or_beside_the_point() -> None:
    assert differing(ROWS) == ["optimizer.lr"]
    assert grouped(ROWS, ["*"], "best_val_loss") == grouped(ROWS, ["optimizer.lr"], "best_val_loss")
    late = row(9, {"optimizer": {"lr": 1e-3}, "new": None, "seed": 4})
    assert differing([*ROWS, late]) == ["new", "optimizer.lr"]  # some have not got it
    assert len(grouped(ROWS, ["seed"], "best_val_loss")) == 3
    assert [g.count for g in grouped(ROWS, ["no.option"], "nothing")] == [5]


def test_equal_in_python_is_not_always_the_same() -> None:
    rows = [row(n, {"x": value}) for n, value in enumerate([1, True, "1"])]
    assert len(grouped(rows, ["x"], "step")) == 3
