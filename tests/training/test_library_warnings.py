"""Of what the libraries warn of, what helps somebody is told."""

import warnings
from pathlib import Path

import pytest
from support.commands import tiny

from lab.training import library_warnings


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


def test_a_warning_is_a_line_once_and_the_silent_ones_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with library_warnings.as_lines():
            for _ in range(2):
                warnings.warn("something\n   to act on", UserWarning, stacklevel=1)
            warnings.warn("GPU available but not used", UserWarning, stacklevel=1)
            warnings.warn("for libraries", DeprecationWarning, stacklevel=1)
            said = "Be aware that when using `ckpt_path`, callbacks were: following callbacks: "
            warnings.warn(f"{said}['Checkpoints'].", UserWarning, stacklevel=1)
            warnings.warn(f"{said}['Checkpoints', 'Mine'].", UserWarning, stacklevel=1)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "warning: something to act on"
    assert second.startswith("warning: the run that is continued had callbacks that this one has not: 'Mine'; ")
