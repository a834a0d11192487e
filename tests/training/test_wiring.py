"""What is chosen by a word is what the trainer is made of."""

from pathlib import Path

import pytest
from support.commands import scalars, tiny


def test_other_loggers_by_one_word(tmp_path: Path) -> None:
    run = tiny(tmp_path, "trainer.max_steps=2", "logger=csv", "eval_every=1").run
    header, *rows = (run / "csv" / "metrics.csv").read_text().splitlines()
    assert {"train_loss", "val_loss", "step"} <= set(header.split(","))
    assert rows
    run = tiny(tmp_path, "trainer.max_steps=1", "logger=none").run
    assert not (run / "tensorboard").exists()
    both = tiny(tmp_path, "trainer.max_steps=1", "logger=[tensorboard,csv]").run
    assert (both / "tensorboard").exists()
    assert (both / "csv").exists()


def test_plain_gradient_descent_and_other_schedules(tmp_path: Path) -> None:
    for options in (("optimizer=sgd", "schedule=constant"), ("schedule=wsd",)):
        curve = scalars(tiny(tmp_path, *options, "trainer.max_steps=10", "eval_every=10").run)
        assert len(curve["learning_rate"]) == 10
    assert curve["learning_rate"][10] < curve["learning_rate"][8] == pytest.approx(3e-4)
