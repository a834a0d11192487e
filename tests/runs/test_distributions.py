"""The file in which a run keeps how its weights and gradients were spread."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab.files.run_files import DISTRIBUTIONS_FILE
from lab.runs.distributions import GRADIENT_BINS, MOST, WEIGHT_BINS, Moment, read, thinned, write


def moment(step: int) -> Moment:
    weights: Any = {"edge": 0.5, "counts": [step] * WEIGHT_BINS}
    gradients: Any = {"zeros": 3, "counts": [1] * GRADIENT_BINS}
    return {"step": step, "parts": {"blocks.0.attention": {"weights": weights, "gradients": gradients}}}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    first = moment(0)
    first["parts"]["blocks.0.attention"]["gradients"] = None
    write(tmp_path, [first, moment(5)])
    assert read(tmp_path) == [first, moment(5)]


@pytest.mark.parametrize("n", [MOST, MOST + 1, 1000])
def test_a_long_run_keeps_moments_all_over_it(n: int) -> None:
    kept: list[Moment] = []
    for step in range(0, 10 * n, 10):  # one by one, as they come
        kept = thinned([*kept, moment(step)])
    steps = [one["step"] for one in kept]
    assert (len(kept), steps[0], steps[-1]) == (min(n, MOST), 0, 10 * (n - 1))
    gaps = [after - before for before, after in pairwise(steps)]
    # None is far apart from its neighbour: at most twice what an even spread would leave, and the last gap besides.
    assert max(gaps) <= 2 * max(10, 2 * 10 * n / MOST)


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "[]",
        '{"moments": 1}',
        '{"moments": [{"step": -1, "parts": {}}]}',
        '{"moments": [{"step": 1, "parts": {"a": {"weights": {"edge": 1, "counts": [1]}}}}]}',
        json.dumps({"moments": [{"step": 1, "parts": {"a": {"weights": {"edge": "x", "counts": [0] * WEIGHT_BINS}}}}]}),
    ],
)
def test_a_damaged_file_says_nothing(tmp_path: Path, damaged: str) -> None:
    assert read(tmp_path) == []
    (tmp_path / DISTRIBUTIONS_FILE).write_text(damaged)
    assert read(tmp_path) == []
