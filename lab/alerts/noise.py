"""How much a training loss goes up and down by itself, from batch to batch.

The spread of the last losses does not tell it: while the loss falls, the fall itself is most of that spread, and what
looks for a jump among such losses is blind just when jumps are likeliest. A fall makes no step upwards. So what is
measured here is how far the loss goes up where it goes up from one point to the next; the median of those steps is,
for normal noise on level ground, 0.95 of its standard deviation, and on a slope a little less.
"""

import statistics
from collections import deque
from itertools import pairwise

REMEMBERED = 100
"""Points that are looked back on."""
JUDGED = 5
"""The last of them are what is judged, and do not measure."""
_FEWEST = 5
_ENOUGH = 20
_MANY = 30


class Noise:
    """The noise of the losses that it was given last."""

    def __init__(self, expected: float) -> None:
        self.expected = expected
        """A cautious guess, for as long as there is too little to measure."""
        self._losses: deque[float] = deque(maxlen=REMEMBERED + JUDGED)

    def add(self, loss: float) -> None:
        """Adds a point that nothing is wrong with."""
        self._losses.append(loss)

    @property
    def steps_up(self) -> list[float]:
        """Of each rise between two neighbours, how far."""
        past = list(self._losses)[:-JUDGED]
        return [after - before for before, after in pairwise(past) if after > before]

    def largest(self, least: float) -> float:
        """What chance hardly ever exceeds, nats a token; at least ``least``."""
        ups = self.steps_up
        measured = 10 * statistics.median(ups) if len(ups) >= _FEWEST else 0.0
        return max(measured, least if len(ups) >= _ENOUGH else 6 * self.expected, least)

    @property
    def usual(self) -> float:
        """About one standard deviation, nats a token."""
        ups = self.steps_up
        if len(ups) < _FEWEST:  # too early to tell, or a loss that never goes up
            return self.expected if len(self._losses) < _MANY else max(ups, default=0.0)
        return statistics.median(ups)
