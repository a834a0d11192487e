"""A validation loss that has turned upwards while the training loss goes on falling."""

import math
import statistics
from collections import deque

from lab.alerts.alert import Alert, Setting

_EVALUATIONS = 2
"""So many in a row must be worse than the best."""
_SHARE = 0.005
_LEAST = 0.01
"""Worse by half a percent, and by at least a hundredth of a nat."""
_SMOOTH = 10
"""Training points whose median is the training loss at an evaluation."""


class Overfitting:
    """Remembers the best evaluation, and what the training loss was then. It began there."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._best = self._train_then = math.inf
        self._best_step = 0
        self._worse = 0
        self._told = False
        self._train: deque[float] = deque(maxlen=_SMOOTH)

    def see_training(self, loss: float) -> None:
        """Takes the next written training loss."""
        self._train.append(loss)

    def see(self, step: int, loss: float) -> Alert | None:
        """Takes the next validation loss."""
        train = statistics.median(self._train) if self._train else math.inf
        if loss < self._best:
            self._best, self._best_step, self._train_then = loss, step, train
            self._worse, self._told = 0, False
            return None
        self._worse = self._worse + 1 if loss > self._best + max(_LEAST, _SHARE * self._best) else 0
        if self._told or self.setting.by_heart or self._worse < _EVALUATIONS or not train < self._train_then:
            return None
        self._told = True
        message = (
            f"the validation loss was best at step {self._best_step:,} ({self._best:.3f}) and is {loss:.3f} now, while "
            f"the training loss has gone on falling to {train:.3f}"
        )
        advice = (
            "the model learns its training text by heart: stop there (callbacks=early_stopping), or try more text, a "
            "larger model.drop_rate or optimizer.weight_decay, or a smaller model"
        )
        return Alert("overfitting", self._best_step, message, advice)
