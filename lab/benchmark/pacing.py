"""Callbacks by which a training is measured from within."""

import time
from pathlib import Path
from typing import Any, ClassVar

import lightning as L

from lab.benchmark.child import Orders, peak_memory
from lab.files import atomic


class FirstStep(L.Callback):
    """Writes to the file ``report`` when the first optimizer step is done, and how long the evaluation before it took;
    then the run ends."""

    def __init__(self, report: str) -> None:
        self.report = Path(report)
        self._began = self._seconds = 0.0

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._began = time.perf_counter()

    def on_sanity_check_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._seconds = time.perf_counter() - self._began

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        if trainer.global_step and not trainer.should_stop:
            at = time.perf_counter()
            atomic.write_json(self.report, {"at": at, "evaluation": self._seconds, "peak": peak_memory()})
            trainer.should_stop = True


class Paced(L.Callback):
    """Lets a training take as many steps as it is told to, and waits for the next order in between. A step is what lies
    between the beginnings of two batches: the next batch is cut in it, too."""

    orders: ClassVar[Orders]
    """Those of this process. Not an argument: options make this callback, as any other."""

    def __init__(self) -> None:
        self._until = 0
        self._began = 0.0

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        trainer.num_sanity_val_steps = 0  # steps are measured, and not the evaluation before them

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.orders.ready(parameters=sum(parameter.numel() for parameter in pl_module.parameters()))

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        if trainer.global_step == self._until:
            if self._began:
                self.orders.done(time.perf_counter() - self._began)
            if (count := self.orders.next()) is None:
                trainer.should_stop = True
                return
            self._until += count
            self._began = time.perf_counter()
