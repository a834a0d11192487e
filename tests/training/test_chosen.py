"""What is named by a word or a class is what a run is made with."""

from pathlib import Path

from support.commands import tiny


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
