"""How much of the disk a run's checkpoints take: counted from its options, before anything is written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lab.config.schema import Config
from lab.training import memory_estimate

USUAL = 10
MOST_BYTES = 2 * 2**30
"""Of all of a run together, unless somebody has said how many there are to be: ten of a model of 50 million parameters
in fp32, four of GPT-2's 124."""


def most(config: Config) -> int:
    """How many a run with these options keeps at most: the untrained weights at least, if nothing else is said."""
    if config.snapshots is not None:
        return config.snapshots
    if config.save_every is not None:  # then it has been said which moments are worth keeping
        return 1
    weights, _ = memory_estimate.model_bytes(config)
    return max(1, min(USUAL, MOST_BYTES // weights))


def spacing(most: int, total_steps: int, kept: Sequence[int] = ()) -> int:
    """Steps between two of ``most`` snapshots, from step 0 on. Of those of the steps ``kept``, from a time when the run
    was to be shorter, as many as can serve do."""
    wanted = math.ceil(total_steps / most)
    if all(step % wanted == 0 for step in kept):
        return wanted
    grid = math.gcd(*kept)
    return grid * math.ceil(wanted / grid)


@dataclass(frozen=True)
class Kept:
    """What a run keeps at most at one time."""

    whole: int
    """Checkpoints with all that a run needs to go on: best, last, and periodic ones."""
    whole_bytes: int
    """Of each: weights, and what the optimizer remembers."""
    snapshots: int
    """Checkpoints with the weights alone."""
    snapshot_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it. Several names of one file, which best, last and periodic ones may be, are counted as files."""
        return self.whole * self.whole_bytes + self.snapshots * self.snapshot_bytes


def kept(config: Config, total_steps: int | None = None) -> Kept:
    """What a run with these options keeps with ``save=true``; of a run of ``total_steps``, where that is known."""
    weights, remembered = memory_estimate.model_bytes(config)
    periodic = config.keep if config.save_every else 0
    some = most(config)
    if total_steps is not None:
        periodic = min(periodic, total_steps // config.save_every) if config.save_every else 0
        some = min(some, -(-total_steps // spacing(some, total_steps))) if some else 0
    return Kept(2 + periodic, weights + remembered, some, weights)
