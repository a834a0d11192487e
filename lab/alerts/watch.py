"""Asks every detector about every point of a run, in the order in which they were written."""

import math
from collections.abc import Mapping

from lab.alerts.alert import Alert, Kind, Setting
from lab.alerts.clipped import Clipped
from lab.alerts.guessing import Guessing
from lab.alerts.overfitting import Overfitting
from lab.alerts.rising import Rising
from lab.alerts.stalled import Stalled

_AGAIN = 50
"""Points for which a kind that was told is not told again."""
_AFTER = 100
"""Points for which it is the cause of what follows from it."""

_FOLLOWS: Mapping[Kind, tuple[Kind, ...]] = {
    "above_guessing": ("rate_too_high",),
    "stalled": ("rate_too_high", "above_guessing"),
    "always_clipped": ("rate_too_high", "above_guessing"),
}
"""What is no news once another kind was told: one cause, one alert."""


class Watch:
    """What one run is alarming for. Its state follows from the figures that it was shown: to go on with a run, show it
    those of the earlier part again."""

    def __init__(self, setting: Setting) -> None:
        self._rising = Rising(setting)
        self._guessing = Guessing(setting)
        self._stalled = Stalled(setting)
        self._clipped = Clipped(setting)
        self._overfitting = Overfitting(setting)
        self._n_points = 0
        self._told_at: dict[Kind, int] = {}

    def see(self, step: int, figures: Mapping[str, float]) -> list[Alert]:
        """Takes the figures that were written at ``step`` finished optimizer steps, by the names that they have in the
        log; those that are none of its business, or not finite, are passed over. Returns what is new."""
        found: list[Alert | None] = []
        if (loss := _finite(figures, "train_loss")) is not None:
            self._n_points += 1
            self._overfitting.see_training(loss)
            found += [detector.see(step, loss) for detector in (self._rising, self._guessing, self._stalled)]
        if (norm := _finite(figures, "grad_norm")) is not None:
            found.append(self._clipped.see(step, norm))
        if (loss := _finite(figures, "val_loss")) is not None:
            found.append(self._overfitting.see(step, loss))
        return [alert for alert in found if alert is not None and self._is_news(alert)]

    def end(self) -> list[Alert]:
        """What there is to say of a run that has come to its end."""
        alert = self._rising.end()
        return [alert] if alert is not None and self._is_news(alert) else []

    def _is_news(self, alert: Alert) -> bool:
        since = {kind: self._n_points - at for kind, at in self._told_at.items()}
        if since.get(alert.what, _AGAIN) < _AGAIN or any(
            since.get(cause, _AFTER) < _AFTER for cause in _FOLLOWS.get(alert.what, ())
        ):
            return False
        self._told_at[alert.what] = self._n_points
        return True


def _finite(figures: Mapping[str, float], name: str) -> float | None:
    value = figures.get(name)
    return value if value is not None and math.isfinite(value) else None
