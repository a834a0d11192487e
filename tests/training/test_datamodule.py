"""Batches of a run: passes are counted, and nobody who looks on changes them."""

import math
from pathlib import Path

import pytest
from support.commands import scalars, tiny


def test_a_continued_run_counts_its_passes_as_they_were(tmp_path: Path) -> None:
    tiny(tmp_path, "trainer.max_steps=2", "data.max_train_tokens=161", "save=true")
    done = tiny(tmp_path, "resume=last", "trainer.max_steps=4", "data.batch_size=6")
    assert "steps      2 more of 96 tokens, 2 passes over 10 windows in all" in done.out


def test_dropout_and_shuffling_do_not_depend_on_evaluations_or_workers(tmp_path: Path) -> None:
    options = ("trainer.max_steps=6", "log_every=1", "model.drop_rate=0.3")
    plain = scalars(tiny(tmp_path, *options, "eval_every=6").run)
    often = scalars(tiny(tmp_path, *options, "eval_every=1", "sample.max_tokens=9").run)
    workers = scalars(tiny(tmp_path, *options, "eval_every=6", "data.num_workers=2").run)
    assert plain["train_loss"] == often["train_loss"] == workers["train_loss"]


def test_epochs_count_passes_over_the_windows(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("one two three four five six seven eight nine ten " * 100)
    done = tiny(tmp_path, "corpus=text", "corpus.path=t.txt", "trainer.max_epochs=2", "log_every=1")
    n_windows = (int(1000 * 0.9) - 1) // 16
    assert done.results["steps"] == math.ceil(2 * n_windows / 4)
    last = max(scalars(done.run)["epoch"].items())
    assert last == (done.results["steps"], pytest.approx(done.results["steps"] * 4 / n_windows))
