"""A training loss that does not fall although there is nearly everything left to learn."""

import math
import statistics
from collections import deque

from lab.alerts.alert import Alert, Setting
from lab.alerts.noise import Noise

_AT_THE_START = 20
"""Points without a fall, of a run that is no better than guessing."""
_AT_THE_YARDSTICK = 60
"""Of one that has learnt how often each token occurs: models rest there for a while before they learn what follows
what, the best of them, too, and some never leave."""
_LONGER = 4
"""Times as many points are looked at where the loss is too noisy for so few to tell."""
_FALL = 0.1
"""Nats a token, from the first half of the points to the second. There is no fall where none stands out from chance,
and one of this size would."""
_NEAR = 0.1
"""Nats a token: what lies no further below guessing is no better than it."""
_MOVED = 0.3
"""Nats a token: by so much further down, a loss that has stalled again is news."""


class Stalled:
    """Compares the earlier with the later half of the last points, once the rate has come up. A run that is better than
    counting single tokens may rest: it may have learnt what there is."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.noise = Noise(setting.expected_noise)
        self._points: deque[tuple[int, float]] = deque(maxlen=_LONGER * _AT_THE_YARDSTICK)
        self._told_at = math.inf
        """The level that was told of; infinite if none was."""

    def see(self, step: int, loss: float) -> Alert | None:
        """Takes the next written training loss."""
        self.noise.add(loss)
        if step <= self.setting.warmup_steps:
            return None
        self._points.append((step, loss))
        marks = [(_AT_THE_START, self.setting.guessing - _NEAR, "guessing")]
        if self.setting.yardstick is not None:
            marks.append((_AT_THE_YARDSTICK, self.setting.yardstick, "counting single tokens"))
        for n_points, mark, known in marks:
            for n in (n_points, _LONGER * n_points):
                if (alert := self._judged(n, mark, known)) is not None:
                    return alert
        return None

    def _judged(self, n_points: int, mark: float, known: str) -> Alert | None:
        """Has the loss rested above ``mark``, the level of what is ``known``, for so many points?"""
        if len(self._points) < n_points:
            return None
        window = list(self._points)[-n_points:]
        losses = [loss for _, loss in window]
        before, now = (statistics.fmean(half) for half in (losses[: n_points // 2], losses[n_points // 2 :]))
        chance = 2 * self.noise.usual * math.sqrt(2 / (n_points // 2))  # two standard errors of the difference
        if now < self._told_at - max(_MOVED, chance):
            self._told_at = math.inf
        if now < mark or before - now > min(chance, _FALL - chance) or self._told_at < math.inf:
            return None
        self._told_at = now
        message = f"the training loss has stayed at {now:.2f}, no better than {known}"
        return Alert("stalled", window[0][0], message, self.setting.other_rates())
