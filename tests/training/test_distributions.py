"""Histograms of weights and gradients: the right numbers in the right bins, evaluation by evaluation."""

import math
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import TINY, train_here

from lab.runs import checkpoint
from lab.runs.distributions import LOWEST_EXPONENT, WEIGHT_BINS, Moment, read
from lab.training.distributions import gradients, weights


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-(2.0**20), 2.0**20, width=32), min_size=1, max_size=60))
def test_every_number_is_in_its_bin(values: list[float]) -> None:
    matrix = torch.tensor([values])
    found = weights([matrix])
    edge = max(abs(value) for value in values)
    assert found["edge"] == edge
    assert sum(found["counts"]) == len(values)
    if edge > 1e-30:  # in fp32, a number on a border may fall on either side of it
        places = (np.array(values, dtype=np.float64) / edge + 1) / 2 * WEIGHT_BINS
        for border, below in enumerate(np.cumsum(found["counts"])[:-1], start=1):
            assert (places < border - 1e-4).sum() <= below <= (places < border + 1e-4).sum()
    sized = gradients([matrix])
    exact = [0] * len(sized["counts"])
    for value in values:
        if value:
            exact[min(len(exact) - 1, max(0, math.frexp(value)[1] - 1 - LOWEST_EXPONENT))] += 1
    assert sized == {"zeros": values.count(0.0), "counts": exact}


def test_of_a_large_matrix_every_column_is_looked_at() -> None:
    """A stride that divides the row would look at a few columns only."""
    matrix = torch.zeros(4096, 256)
    matrix[:, 77] = 1.0
    counts = weights([matrix])["counts"]
    assert 1 / 300 < counts[-1] / sum(counts) < 1 / 200
    assert 30_000 < sum(counts) < 140_000


def test_infinite_numbers_are_left_out() -> None:
    matrix = torch.tensor([[1.0, float("inf"), float("nan"), -1.0]])
    assert (weights([matrix])["edge"], sum(weights([matrix])["counts"])) == (1.0, 2)
    assert sum(gradients([matrix])["counts"]) == 2


def test_a_run_keeps_them_and_a_continued_run_the_same(tmp_path: Path) -> None:
    options = (*TINY, "trainer.max_steps=6", "eval_every=2", "save=true", "keep=9", "trainer.accumulate_grad_batches=2")
    assert train_here(tmp_path, *options, "hydra.run.dir=whole").code == 0
    whole = read(tmp_path / "whole")
    assert [moment["step"] for moment in whole] == [0, 2, 4, 6]
    assert set(whole[0]["parts"]) >= {"token_embedding", "blocks.0.attention", "blocks.1.feed_forward"}
    assert [_has_gradients(moment) for moment in whole] == [False, True, True, True]

    state = checkpoint.load(tmp_path / "whole" / "checkpoints" / "last.ckpt")["state_dict"]
    embedding = next(weight for name, weight in state.items() if name.endswith("position_embedding.weight"))
    assert whole[-1]["parts"]["position_embedding"]["weights"]["edge"] == embedding.abs().max().item()

    longer = train_here(tmp_path, "resume=whole", "trainer.max_steps=8", "hydra.run.dir=longer")
    assert longer.code == 0, longer.err
    went_on = read(tmp_path / "longer")
    assert [moment["step"] for moment in went_on] == [0, 2, 4, 6, 8]
    assert went_on[:4] == whole  # its last evaluation counts as it is


def _has_gradients(moment: Moment) -> bool:
    found = {part["gradients"] is not None for part in moment["parts"].values()}
    assert len(found) == 1
    return found.pop()
