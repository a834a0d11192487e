"""The private parts of Lightning that the lab leans on, in one place. Read in lightning 2.6.6.

Each of them exists because Lightning has no public way to say the same. What is used: ``_LoggerConnector.log_metrics``
and ``_first_loop_iter``, ``_CheckpointConnector._loaded_checkpoint``, ``LightningModule._current_fx_name``, and the
counters inside the fit loop's state.
``tests/training/test_lightning_internals.py`` fails by name when one of them is gone.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import lightning as L
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.trainer.connectors.logger_connector import _LoggerConnector


class QuickModule(L.LightningModule):
    """A module to which Lightning says quickly which of its hooks it calls: some sixty times a step, and torch looked
    each time whether a weight was meant. 0.2 ms of a step that takes 6."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)


class Unprofiled(PassThroughProfiler):
    """Lightning's profiler that measures nothing, without a context of its own for each of the sixty hooks of a step:
    0.1 ms of one that takes 6."""

    _nothing = nullcontext()

    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]
        return self._nothing


class StepNumbers(_LoggerConnector):
    """Lightning's way from ``self.log`` to the loggers, at the lab's step numbers: also for what a callback or a module
    of the user's own logs.

    Lightning counts the step in progress from 0 and adds an ``epoch`` of its own, which stays 0 in our one endless
    epoch and would write over the passes over the text. A point of ours at step 100 is that after 100 updates.
    """

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        if step is None and "step" not in metrics:
            step = self.trainer.global_step
        super().log_metrics(metrics, step)


def count_logged_points_in_steps(trainer: L.Trainer) -> None:
    """Puts ``StepNumbers`` in the place of the trainer's own connector."""
    trainer._logger_connector = StepNumbers(trainer)


def evaluate_between_steps(trainer: L.Trainer) -> None:
    """An evaluation now, the way in which Lightning's own loop makes one between two steps."""
    connector = trainer._logger_connector
    first_iteration = connector._first_loop_iter
    trainer.validating = True
    trainer.fit_loop.epoch_loop.val_loop.run()
    trainer.training = True
    connector._first_loop_iter = first_iteration


def is_taking_up(trainer: L.Trainer) -> bool:
    """Is the trainer still handing out the parts of a checkpoint?"""
    return bool(trainer._checkpoint_connector._loaded_checkpoint)


def fit_loop_at(step: int, accumulate_grad_batches: int) -> dict[str, Any]:
    """The state of Lightning's fit loop exactly between two optimizer steps, inside its one endless epoch.

    Lightning saves dozens of counters that differ with the hook in which the checkpoint was written; restored, some
    of them skip an evaluation or add up gradients at the wrong border. All that they should say follows from the
    number of finished steps, so it is derived from that number.
    """
    batches = step * accumulate_grad_batches

    def progress(count: int) -> dict[str, int]:
        return {"ready": count, "started": count, "processed": count, "completed": count}

    def in_epoch(count: int) -> dict[str, Any]:
        return {"total": progress(count), "current": progress(count)}

    one_begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
    optimizer = {
        "step": {"total": {"ready": step, "completed": step}, "current": {"ready": step, "completed": step}},
        "zero_grad": {
            "total": {"ready": step, "started": step, "completed": step},
            "current": {"ready": step, "started": step, "completed": step},
        },
    }
    scheduler = {"total": {"ready": step, "completed": step}, "current": {"ready": step, "completed": step}}
    return {
        "state_dict": {},
        "epoch_progress": {"total": one_begun, "current": one_begun},
        # By this one, Lightning and its callbacks number what they log; it adds one to it whenever it goes on.
        "epoch_loop.state_dict": {"_batches_that_stepped": step - 1},
        "epoch_loop.batch_progress": {**in_epoch(batches), "is_last_batch": False},
        "epoch_loop.scheduler_progress": scheduler,
        "epoch_loop.automatic_optimization.state_dict": {},
        "epoch_loop.automatic_optimization.optim_progress": {"optimizer": optimizer},
        "epoch_loop.val_loop.state_dict": {},
        "epoch_loop.val_loop.batch_progress": {**in_epoch(0), "is_last_batch": False},
    }
