"""A callback of a user."""

from typing import Any

import lightning as L


class EachStep(L.Callback):
    """Logs as a user's own callback would."""

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        module.log("mine", float(trainer.global_step))
        module.log("time", 1.0)


class RunsAnother(L.Callback):
    """Begins a run within the run."""

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        from lab import run

        run([])
