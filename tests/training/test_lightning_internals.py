"""The private parts of Lightning that the lab leans on are still there, and still what they were."""

from pathlib import Path

import lightning as L
import pytest
import torch
from lightning.pytorch.trainer.connectors.checkpoint_connector import _CheckpointConnector
from lightning.pytorch.trainer.connectors.logger_connector import _LoggerConnector
from support.commands import scalars, tiny
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lab.runs import events
from lab.training import lightning_internals

_READ_IN = "lightning 2.6"


class Line(L.LightningModule):
    """A module with nothing to it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder: Path, steps: int, accumulate: int, module: L.LightningModule | None = None) -> L.Trainer:
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        accumulate_grad_batches=accumulate,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(module or Line(), DataLoader(TensorDataset(torch.ones(1000, 1)), batch_size=1))
    return trainer


def test_it_is_the_version_that_was_read() -> None:
    assert f"lightning {L.__version__}".startswith(f"{_READ_IN}."), (
        f"lab/training/lightning_internals.py was read in {_READ_IN}; read it again in {L.__version__}"
    )


@pytest.mark.parametrize(
    ("owner", "name"), [(_LoggerConnector, "log_metrics"), (_CheckpointConnector, "restore_training_state")]
)
def test_the_methods_are_there(owner: type, name: str) -> None:
    assert callable(getattr(owner, name, None)), f"Lightning {L.__version__} has no {owner.__name__}.{name} any more"


def test_the_attributes_are_there(tmp_path: Path) -> None:
    trainer = fit(tmp_path, 1, 1)
    assert hasattr(trainer._logger_connector, "_first_loop_iter")
    assert hasattr(trainer._checkpoint_connector, "_loaded_checkpoint")
    assert not lightning_internals.is_taking_up(trainer)


@pytest.mark.parametrize(("step", "accumulate"), [(1, 1), (3, 1), (4, 2)])
def test_the_counters_are_those_that_lightning_itself_has(tmp_path: Path, step: int, accumulate: int) -> None:
    """Every name in ours is one of Lightning's, and what is missing is of a kind that the lab does not use."""
    theirs = fit(tmp_path, step, accumulate).fit_loop.state_dict()
    ours = lightning_internals.fit_loop_at(step, accumulate)
    assert ours.keys() <= theirs.keys()
    assert all(".manual_optimization." in name for name in theirs.keys() - ours.keys()), theirs.keys() - ours.keys()
    total = theirs["epoch_loop.batch_progress"]["total"]
    assert ours["epoch_loop.batch_progress"]["total"] == total
    assert total["completed"] == step * accumulate


def test_what_is_logged_stands_at_the_finished_step(tmp_path: Path) -> None:
    trainer = fit(tmp_path, 2, 1)
    lightning_internals.count_logged_points_in_steps(trainer)
    seen: list[tuple[dict[str, float], int | None]] = []

    class Recorder(L.pytorch.loggers.logger.DummyLogger):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            seen.append((metrics, step))

    trainer.loggers = [Recorder()]
    trainer._logger_connector.log_metrics({"mine": torch.tensor(1.0)})
    assert [(metrics["mine"], step) for metrics, step in seen] == [(1.0, 2)]


def test_what_a_callback_logs_arrives_at_its_step(tmp_path: Path) -> None:
    own = ("log_every=3", "trainer.accumulate_grad_batches=2", "+callbacks.mine._target_=support.callbacks.EachStep")
    run = tiny(tmp_path, "trainer.max_steps=8", *own, "save=true").run
    assert scalars(run)["mine"] == {3: 3.0, 6: 6.0, 8: 8.0}
    assert all(passes > 0 for passes in scalars(run)["epoch"].values())
    told = [event for event in events.read(run) if "mine" in event]
    assert [(event["step"], events.figures(event)["mine"]) for event in told] == [(3, 3.0), (6, 6.0), (8, 8.0)]
    assert all(event["time"] > 1e9 for event in told)
    more = (
        "trainer.max_steps=13",
        *own[2:],
        "+callbacks.rate._target_=lightning.pytorch.callbacks.LearningRateMonitor",
    )
    run = tiny(tmp_path, "resume=last", *more).run
    assert scalars(run)["mine"] == {3: 3.0, 6: 6.0, 8: 8.0, 9: 9.0, 12: 12.0, 13: 13.0}
    assert {8, 11} <= next(set(curve) for name, curve in scalars(run).items() if name.startswith("lr-"))


def test_the_module_knows_the_hook_it_is_in_and_its_weights(tmp_path: Path) -> None:
    seen = set()

    class Quick(lightning_internals.QuickModule, Line):
        def training_step(self, batch: list[Tensor], at: int) -> Tensor:
            seen.add(self._current_fx_name)
            return super().training_step(batch, at)

    fit(tmp_path, 1, 1, Quick())
    assert seen == {"training_step"}
    module = Quick()
    module.more = nn.Parameter(torch.ones(1))
    assert [name for name, _ in module.named_parameters()] == ["more", "layer.weight", "layer.bias"]


def test_no_time_is_taken_of_the_hooks_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def profile(_: object, action: str) -> None:
        raise AssertionError(action)

    monkeypatch.setattr("lightning.pytorch.profilers.profiler.Profiler.profile", profile)
    tiny(tmp_path, "trainer.max_steps=1")
