"""The training step: what it computes and logs, and that it does so again."""

from pathlib import Path

import pytest
from support.commands import TINY, Finished, scalars, tiny, train_here


def test_curves_have_a_point_at_each_step_and_evaluation(kept: Finished) -> None:
    curve = scalars(kept.run)
    every_step = "train_loss train_perplexity grad_norm learning_rate tokens_per_second tokens_seen epoch"
    for tag in every_step.split():
        assert sorted(curve[tag]) == [1, 2, 3, 4, 5, 6, 7], tag
    for tag in ("val_loss", "val_perplexity", "val_bits_per_byte"):
        assert sorted(curve[tag]) == [0, 3, 6, 7], tag
    assert curve["tokens_seen"][7] == 7 * 2 * 4 * 16
    assert curve["learning_rate"][1] == pytest.approx(3e-4)
    assert curve["learning_rate"][7] < curve["learning_rate"][1]


def test_three_steps_are_a_complete_little_run(tmp_path: Path) -> None:
    done = tiny(tmp_path, "trainer.max_steps=3")
    curve = scalars(done.run)
    assert sorted(curve["train_loss"]) == [1, 2, 3]
    assert sorted(curve["val_loss"]) == [0, 1, 2, 3]
    assert curve["learning_rate"][1] == pytest.approx(3e-4)  # no warmup longer than the run


def test_the_same_seed_gives_the_same_losses_bit_for_bit(tmp_path: Path) -> None:
    options = ("trainer.max_steps=5", "log_every=1")
    for _ in range(2):
        tiny(tmp_path, *options)
    other = tiny(tmp_path, *options, "seed=43")
    one, two, three = (scalars(run) for run in sorted(other.runs, key=lambda run: run.stat().st_mtime_ns))
    for tag in ("train_loss", "val_loss", "grad_norm"):
        assert one[tag] == two[tag]
        assert one[tag] != three[tag]


def test_accumulated_micro_batches_equal_the_larger_batch(tmp_path: Path) -> None:
    options = (
        "trainer.max_steps=6",
        "log_every=1",
        "data.max_val_tokens=200",
        "model.drop_rate=0",
        "optimizer.lr=1e-2",
    )
    large = scalars(tiny(tmp_path, *options, "data.batch_size=6").run)
    small = scalars(tiny(tmp_path, *options, "data.batch_size=2", "trainer.accumulate_grad_batches=3").run)
    for tag in ("train_loss", "grad_norm", "tokens_seen", "epoch", "learning_rate"):
        assert sorted(large[tag]) == sorted(small[tag])
        assert all(small[tag][step] == pytest.approx(value, rel=1e-4) for step, value in large[tag].items()), tag


def test_loss_that_explodes_stops_at_once_and_keeps_what_was_saved(tmp_path: Path) -> None:
    place = tmp_path / "exploding"
    place.mkdir()
    options = ("optimizer.lr=1e38", "schedule.warmup_steps=0", "trainer.max_steps=50", "eval_every=1", "save=true")
    done = train_here(place, *TINY, *options, "data.max_val_tokens=200")
    assert done.code == 1
    assert "diverged" in done.err
    assert "at step" in done.err
    assert "optimizer.lr" in done.err
    assert not (done.run / "results.json").exists()
