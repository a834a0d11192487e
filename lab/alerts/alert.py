"""What an alert says, and what is known of a run before its first figure."""

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["rate_too_high", "loss_spike", "above_guessing", "stalled", "always_clipped", "overfitting", "failed"]
"""``failed``: a mistake, or numbers that leave the finite, ended the run; whoever ends it says so."""


@dataclass(frozen=True)
class Alert:
    """Something that somebody who watches would want to be called for."""

    what: Kind
    since: int
    """Finished optimizer steps where it began: often before it could be told."""
    message: str
    """What is seen, with its figure, in a sentence without a full stop."""
    advice: str
    """What to try, likewise."""


@dataclass(frozen=True)
class Setting:
    """What is known of a run before its first figure."""

    vocab_size: int
    tokens_per_step: int
    windows_per_step: int
    warmup_steps: int
    """In which the learning rate rises."""
    lr: float
    """The peak learning rate, ``optimizer.lr``."""
    clip: float | None
    """Longer gradients are shortened to this, ``trainer.gradient_clip_val``."""
    by_heart: bool = False
    """Is the whole text one batch? Then it is to be learnt by heart."""
    yardstick: float | None = None
    """Training loss of counting single tokens, where it is known."""
    rates: tuple[float, float] | None = None
    """The lowest and the highest learning rate that is usual for the optimizer at this width, where that is known."""

    @property
    def guessing(self) -> float:
        """Loss of taking all tokens for equally likely, nats a token."""
        return math.log(self.vocab_size)

    @property
    def token_noise(self) -> float:
        """How far the loss of a batch lies from the mean because some tokens are easier than others; nats a token. A
        model that guesses finds all alike. What it learns tells them apart, and from then on they differ by some 2.5
        nats: the points of before are quieter than those to come."""
        return 2.5 / math.sqrt(self.tokens_per_step)

    @property
    def expected_noise(self) -> float:
        """How far the loss of a batch lies from the mean, before there are points to see it from; nats a token. The
        tokens of a window stand in one document, and are easier or harder together, by about half a nat. Meant to be
        too large rather than too small."""
        return math.hypot(self.token_noise, 0.5 / math.sqrt(self.windows_per_step))

    def smaller_rate(self) -> str:
        """What to type for a learning rate that is too high: a third of it, or a usual one, if that is less."""
        return _typed(min(self.lr, self.rates[1] if self.rates else self.lr) / 3)

    def other_rates(self) -> str:
        """What to type where a rate may be too low, or too high: into what is usual, or else first up, then down."""
        low, high = self.rates or (0.0, math.inf)
        if self.lr < low:
            return f"the learning rate is probably far too low: try {_typed(high / 3)}"
        if self.lr > high:
            return f"the learning rate is probably far too high: try {_typed(high / 3)}"
        return f"try another learning rate: {_typed(self.lr * 3)} and {_typed(self.lr / 3)}"


def _typed(rate: float) -> str:
    return f"optimizer.lr={float(f'{rate:.0e}'):g}"
