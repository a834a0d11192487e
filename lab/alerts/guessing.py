"""A training loss that has never been below the one of guessing."""

import statistics
from collections import deque

from lab.alerts.alert import Alert, Setting

_POINTS = 10
_MARGIN = 0.5
"""Nats a token; first weights cost a little."""


class Guessing:
    """Waits for the warmup to be over and for ten points more. What has been below is no business of this one: if it
    comes up again, it rises."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._since: int | None = None
        self._losses: deque[float] = deque(maxlen=_POINTS)
        self._done = False

    def see(self, step: int, loss: float) -> Alert | None:
        """Takes the next written training loss."""
        limit = self.setting.guessing
        self._done = self._done or loss < limit
        if self._done or step <= self.setting.warmup_steps:
            return None
        self._since = step if self._since is None else self._since
        self._losses.append(loss)
        if len(self._losses) < _POINTS or (level := statistics.median(self._losses)) < limit + _MARGIN:
            return None
        self._done = True
        message = f"the training loss is {level:.2f}, and taking all tokens for equally likely has {limit:.2f}"
        advice = (
            f"try {self.setting.smaller_rate()}; if the loss stays where it is, the first weights do not fit the "
            "tokenizer"
        )
        return Alert("above_guessing", self._since, message, advice)
