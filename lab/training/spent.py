"""What a run has spent up to each evaluation, so that ideas can be compared at equal cost."""

import time
from typing import Any

import lightning as L

from lab.training.module import GPTModule


class Spent(L.Callback):
    """Logs beside each validation what the training before it took: ``spent_tokens``, ``spent_flops`` (by
    ``flops_per_token``: forward and backward), ``spent_seconds`` by the clock, and ``spent_processor_seconds``, summed
    over the threads of this process, which other programs on the machine hardly change; times the number of processes,
    if the run has several: what each does is the same.

    Times are those of the training batches, from start to end: evaluations, samples, checkpoints and pauses are left
    out, or a run that is looked at more often would seem slower. Those of earlier parts travel in checkpoints; a run
    that continues one without them (of an older version) does not know them, and logs none.
    """

    state_key = "Spent"

    def __init__(self, first_step: int) -> None:
        self._known = first_step == 0
        self._seconds = 0.0
        self._processor_seconds = 0.0
        self._began = (0.0, 0.0)

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self._seconds, "processor_seconds": self._processor_seconds} if self._known else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict:
            self._seconds = float(state_dict["seconds"])
            self._processor_seconds = float(state_dict["processor_seconds"])
            self._known = True

    def on_train_batch_start(self, *_: Any) -> None:
        self._began = (time.perf_counter(), time.process_time())

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        self._seconds += time.perf_counter() - self._began[0]
        self._processor_seconds += (time.process_time() - self._began[1]) * trainer.world_size

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        assert isinstance(module, GPTModule)
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        tokens = data.position * module.model.config.context_length
        figures = {"spent_tokens": float(tokens), "spent_flops": float(tokens * module.flops_per_token)}
        if self._known:
            figures |= {"spent_seconds": self._seconds, "spent_processor_seconds": self._processor_seconds}
        module.write(figures, trainer.global_step)
