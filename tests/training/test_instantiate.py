"""What is made by its name: mistakes in it are told, and bugs of a user keep their traceback."""

import json
from pathlib import Path

import pytest
from support.commands import TINY, train_here


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["callbacks=early_stopping", "callbacks.early_stopping.monitor=nothing"], "`nothing` which is not available"),
        (["logger=csv", "logger.csv.flush_logs_every_n_steps=0"], "logger.csv: CSVLogger failed (ZeroDivisionError"),
        (["+logger.tensorboard.colour=red"], "logger.tensorboard: TensorBoardLogger failed (TypeError"),
    ],
)
def test_an_option_that_only_shows_in_the_run_to_be_wrong(typed: list[str], said: str, tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "trainer.max_steps=1", "hydra.run.dir=run", *typed)
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert json.loads((tmp_path / "run" / "state.json").read_text())["state"] == "failed"


def test_a_callback_of_the_users_own_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "homemade.py").write_text(
        "import lightning\nclass Mine(lightning.Callback):\n    def on_train_start(self, *_):\n        1 / 0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        train_here(tmp_path, *TINY, "trainer.max_steps=1", "+callbacks.mine._target_=homemade.Mine")
