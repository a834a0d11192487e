"""Notices what somebody who watches a run would want to be called for, and writes it into the run's log."""

import math
import statistics
from collections import deque
from typing import Any

import lightning as L

from lab.errors import LabError
from lab.runs.events import EventLog
from lab.training.module import GPTModule

_REMEMBERED = 50
_ENOUGH = 10
_DEVIATIONS = 8.0
_LEAST_JUMP = 0.5


class Alerts(L.Callback):
    """Appends ``alert`` events: ``failed`` when a mistake or numbers that leave the finite end the run, ``loss_spike``
    when the loss jumps.

    A spike is a training loss more than 8 standard deviations, and at least half a nat, above the median of the last
    50 written points. Median and deviation are those that an outlier does not move: the deviation is estimated from
    the median distance to the median (times 1.4826, which makes it right for a normal distribution). One spike is one
    alert: the next one comes only after the loss has been down in between.
    """

    state_key = "Alerts"

    def __init__(self, log: EventLog) -> None:
        self.events = log  # not self.log: Lightning puts a method of its own there
        self._losses: deque[float] = deque(maxlen=_REMEMBERED)
        self._seen_at = -1
        self._high = False

    def state_dict(self) -> dict[str, Any]:
        return {"losses": list(self._losses)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._losses.extend(float(loss) for loss in state_dict["losses"])

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: object) -> None:
        assert isinstance(module, GPTModule)
        step, loss = module.clock[0], module.train_loss
        if loss is None or step == self._seen_at:
            return
        self._seen_at = step
        if spike(self._losses, loss):
            if not self._high:
                usual = statistics.median(self._losses)
                message = f"the training loss jumped from about {usual:.2f} to {loss:.2f}"
                self.events.alert(step, "loss_spike", message)
            self._high = True
        else:
            self._high = False
        if math.isfinite(loss):
            self._losses.append(loss)

    def on_exception(self, trainer: L.Trainer, module: L.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, LabError):
            self.events.alert(trainer.global_step, "failed", str(exception))


def spike(earlier: "deque[float]", loss: float) -> bool:
    """Does ``loss`` stand out above what came before?"""
    if len(earlier) < _ENOUGH or not math.isfinite(loss):
        return False
    usual = statistics.median(earlier)
    deviation = 1.4826 * statistics.median(abs(value - usual) for value in earlier)
    return loss - usual > max(_DEVIATIONS * deviation, _LEAST_JUMP)
