"""A validation loss that has turned upwards while the training loss goes on falling."""

import statistics
from collections import deque

from lab.alerts.alert import Alert, Setting
from lab.runs.turning_point import rises_since

_SMOOTH = 10
"""Training points whose median is the training loss at an evaluation."""


class Overfitting:
    """Remembers every evaluation, and what the training loss was at each. It began at the best of them; where that is
    the very first, the model began with weights that knew the text, or learns nothing at all."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._training_at: dict[int, float] = {}
        self._told: int | None = None
        self._training: deque[float] = deque(maxlen=_SMOOTH)

    def see_training(self, loss: float) -> None:
        """Takes the next written training loss."""
        self._training.append(loss)

    def see(self, step: int, loss: float) -> Alert | None:
        """Takes the next validation loss."""
        self._steps.append(step)
        self._losses.append(loss)
        if not self._training:
            return None
        training = self._training_at[step] = statistics.median(self._training)
        since = rises_since(self._steps, self._losses)
        if since is None or since == self._told or self.setting.by_heart:
            return None
        best = min(self._losses)
        if training >= min(best, self._training_at.get(since, best)):
            return None
        self._told = since
        message = (
            f"the validation loss was best at step {since:,} ({best:.3f}) and is {loss:.3f} now, while the training "
            f"loss has gone on falling to {training:.3f}"
        )
        advice = (
            "the model learns its training text by heart: stop there (callbacks=early_stopping), or try more text, a "
            "larger model.drop_rate or optimizer.weight_decay, or a smaller model"
        )
        return Alert("overfitting", since, message, advice)
