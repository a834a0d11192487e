"""A training loss that rises: a spike if it comes down again, a learning rate that is too high if it does not."""

import math

from lab.alerts.alert import Alert, Setting
from lab.alerts.noise import JUDGED, REMEMBERED, Noise

_LEAST_RISE = 0.3
"""Nats a token. Smaller ones are nobody's concern, however quiet the loss was."""
_CHANCE = 4
"""Standard deviations by which a batch may be harder than another for the tokens that are in it."""
_BEGINNING = 0.5
"""Nats a token, at most, between the first loss of a fresh model and guessing."""
_SETTLED = 50
"""Points after which a loss that has not come down is taken for what is usual now."""


class Rising:
    """Compares each loss with the lowest level so far, which is what two points in a row have kept to; at first, with
    guessing, where a fresh model begins. So a loss that jumps in the second step is seen to have jumped.

    While a run begins, its rate is on trial: a jump there is the rate's doing, and told at once. Later, a jump is a
    spike once the loss is back within ``JUDGED`` points, and until then it may be either.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._n_points = 0
        self._begin = 0
        """The step at which the loss left its level; as long as there are ``_up`` points of it."""
        self._peak = self._limit = 0.0
        self._told = False
        self._forget()

    def _forget(self) -> None:
        self.noise = Noise(self.setting.expected_noise)
        self._n_known = 0
        self._is_known = False
        """Is there a level to compare with?"""
        self._last = self._low = math.inf
        self._up = 0

    @property
    def _is_fresh(self) -> bool:
        """Does the model begin where a fresh one does, by its first point?"""
        return self._n_points == 1 and abs(self._last - self.setting.guessing) <= _BEGINNING

    def see(self, step: int, loss: float) -> Alert | None:
        """Takes the next written training loss."""
        self._n_points += 1
        if self._up:
            return self._above(step, loss)
        limit = self.noise.largest(max(_LEAST_RISE, _CHANCE * self.setting.token_noise))
        if self._is_known and loss > self._low + limit:
            self._begin, self._limit, self._peak, self._told = step, limit, loss, False
            return self._above(step, loss)
        self._take(loss)
        return None

    def end(self) -> Alert | None:
        """What there is to say of a rise that the run has ended in."""
        return None if not self._up or self._told else self._spike()

    def _above(self, step: int, loss: float) -> Alert | None:
        if loss <= self._low + self._limit / 2:
            self._up = 0
            self._take(loss)
            return None if self._told else self._spike()
        self._up += 1
        self._peak = max(self._peak, loss)
        if self._up == _SETTLED:
            self._forget()
            return None
        if self._told or not (self._up >= JUDGED or self._is_beginning(step)):
            return None
        self._told = True
        return self._too_high(step)

    def _is_beginning(self, step: int) -> bool:
        return step <= 2 * self.setting.warmup_steps or self._n_points <= REMEMBERED // 2

    def _take(self, loss: float) -> None:
        self._n_known += 1
        self._low = min(self._low, max(self._last, loss))
        self._last = loss
        if self._is_fresh:
            self._low = max(loss, self.setting.guessing)
            self._is_known = True
        self._is_known = self._is_known or self._n_known >= 3
        self.noise.add(loss)

    def _too_high(self, step: int) -> Alert:
        advice = f"the learning rate is probably too high: try {self.setting.smaller_rate()}"
        if self._is_beginning(step):
            more = max(10, 2 * self.setting.warmup_steps)
            advice += f", or a slower start with schedule.warmup_steps={more}"
        return Alert("rate_too_high", self._begin, self._rose("rose"), advice)

    def _spike(self) -> Alert:
        back = " and came back" if not self._up else ""
        advice = (
            "one bad batch does no harm; if there are more, "
            f"try {self.setting.smaller_rate()} or a smaller trainer.gradient_clip_val"
        )
        return Alert("loss_spike", self._begin, f"{self._rose('jumped')}{back}", advice)

    def _rose(self, how: str) -> str:
        return f"the training loss {how} from {self._low:.2f} to {self._peak:.2f}"
