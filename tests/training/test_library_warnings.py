"""Of what the libraries warn of, what helps somebody is told."""

import warnings
from pathlib import Path

from support.commands import tiny


def test_warnings_that_somebody_can_act_on_are_told(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of pytest
        first = tiny(tmp_path, "trainer.max_steps=2", "save=true", "callbacks=early_stopping")
        assert first.err == ""
        options = ("callbacks=none", "data.num_workers=9", "save=false")
        second = tiny(tmp_path, "trainer.max_steps=3", "resume=last", *options)
    callbacks, workers = second.err.splitlines()
    assert callbacks.startswith("warning: the run that is continued had callbacks that this one has not: ")
    assert "EarlyStopping" in callbacks
    assert workers.startswith("warning: This DataLoader will create 9 worker processes")
