"""Gradients that are clipped in every step, and much."""

import statistics
from collections import deque

from lab.alerts.alert import Alert, Setting

_POINTS = 50
_TIMES = 5.0
"""So many times the limit in the middle. While a loss falls, gradients somewhat longer than the limit are usual, and
AdamW does not mind: it divides them by their size. What is lost is what clipping is for, that a bad batch counts less
than a good one: all batches count alike."""


class Clipped:
    """Looks at the last 50 gradients, once the warmup is over."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._points: deque[tuple[int, float]] = deque(maxlen=_POINTS)
        self._told = False

    def see(self, step: int, norm: float) -> Alert | None:
        """Takes the next written length of a gradient, before clipping."""
        limit = self.setting.clip
        if limit is None or step <= self.setting.warmup_steps:
            return None
        self._points.append((step, norm))
        norms = [norm for _, norm in self._points]
        if sum(norm > limit for norm in norms) < len(norms) / 2:
            self._told = False
        usual = statistics.median(norms)
        if self._told or len(norms) < _POINTS or min(norms) <= limit or usual < _TIMES * limit:
            return None
        self._told = True
        message = (
            f"each of the last {_POINTS} written gradients was clipped: half of them are longer than {usual:.3g}, and "
            f"trainer.gradient_clip_val is {limit:g}"
        )
        advice = (
            "clipping is for the odd bad batch: try "
            f"trainer.gradient_clip_val={float(f'{2 * usual:.0e}'):g}, about twice the usual length"
        )
        return Alert("always_clipped", self._points[0][0], message, advice)
