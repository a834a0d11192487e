"""What came out of a run: every figure is there, and they fit together."""

import json
import math
import re
from pathlib import Path

import pytest
from support.commands import TINY, Finished, scalars, tiny, train_here

from lab.runs.results import read_results

RESULT_KEYS = (
    "train_loss val_loss best_val_loss best_step perplexity bits_per_byte tokens_seen tokens_per_second steps seconds "
    "model corpus parameters versions git_revision"
)


def test_results_hold_every_figure_and_they_fit_together(kept: Finished) -> None:
    results = kept.results
    assert results.keys() >= set(RESULT_KEYS.split())
    assert results["steps"] == 7
    assert results["tokens_seen"] == 7 * 2 * 4 * 16
    assert results["perplexity"] == pytest.approx(math.exp(results["val_loss"]))
    curve = scalars(kept.run)
    assert results["val_loss"] == pytest.approx(curve["val_loss"][7], rel=1e-6)
    assert results["best_val_loss"] == pytest.approx(min(curve["val_loss"].values()), rel=1e-6)
    assert results["train_loss"] == pytest.approx(curve["train_loss"][7], rel=1e-6)
    assert results["val_loss"] < 10.9


def test_the_speed_leaves_out_the_first_step_and_all_that_is_no_training(kept: Finished) -> None:
    rates = scalars(kept.run)["tokens_per_second"]
    seconds = sum(2 * 4 * 16 / rates[step] for step in range(2, 8))
    assert kept.results["tokens_per_second"] == pytest.approx(6 * 2 * 4 * 16 / seconds, rel=0.05)


def test_who_overfits_one_batch_is_measured_by_that_batch(tmp_path: Path) -> None:
    options = ("experiment=overfit", "data.max_train_tokens=65", "optimizer.lr=1e-2", "trainer.max_steps=40")
    done = tiny(tmp_path, *options)
    assert done.results["train_loss"] < 0.5 < done.results["unigram_train_loss"]
    assert done.results["val_loss"] > done.results["unigram_val_loss"]
    assert re.search(r"yardstick +5\.\d+ for counting the tokens of the one batch .* is better on it", done.out)
    assert re.search(r"training loss +0\.\d+ nats a token", done.out)
    done = tiny(tmp_path, *options, "data.max_train_tokens=129")
    assert re.search(r"yardstick .* the model is no better, but on its training text it is", done.out)


def test_whatever_a_run_writes_is_json_for_every_reader(tmp_path: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    wild = ("optimizer.lr=3", "schedule=constant", "trainer.gradient_clip_val=null", "trainer.max_steps=6")
    done = train_here(tmp_path, *TINY, *wild, "save=true", "hydra.run.dir=run")
    assert done.code == 0, done.err
    for file in (tmp_path / "run").glob("*.json*"):
        for text in file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]:
            json.loads(text, parse_constant=refuse)
    assert json.loads((tmp_path / "run/results.json").read_text())["perplexity"] == "Infinity"
    assert read_results(tmp_path / "run").perplexity == math.inf
