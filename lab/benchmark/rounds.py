"""Rounds in turns, and which of them count: a rule that is fixed before anything is measured.

In each round every side works once; the order is turned round from one round to the next. The first two rounds never
count (the first one, where processes are started). A round in which other processes took more than ``limit`` of the
machine's processor time is taken again at the end, and at most as many again as were asked for. If others are still at
it then, what is missing is made up from such rounds, the first ones first, and the result says how many. Nothing else
is ever dropped, however odd its time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from lab.benchmark.processes import Sample, Side, SideFailed

WARM_UP = 2
"""Rounds in the beginning: memory is asked for in them, and code compiled."""
_SECONDS_OF_A_SAMPLE = 0.25
"""Work that is shorter is done several times a sample, as often on each side."""


@dataclass(frozen=True)
class Round:
    """What happened in a round, whether it counts or not."""

    order: tuple[str, ...]
    samples: dict[str, Sample]
    others: float
    """Share of the machine's processor time that other processes took."""
    counts: Literal["no: warm-up", "no: others were busy", "yes", "yes, though others were busy"]


class Meter(Protocol):
    """Knows what others take (``lab.benchmark.disturbance.Others``)."""

    def begin(self) -> None: ...
    def share(self) -> float: ...


def take(
    sides: Mapping[str, Side],
    n_rounds: int,
    limit: float,
    meter: Meter,
    *,
    warm_up: int = WARM_UP,
    failed: Callable[[str, str], None],
    tell: Callable[[int], None],
) -> list[Round]:
    """All rounds, in the order in which they were taken.

    Args:
        sides: by name, set up.
        n_rounds: that are to count.
        limit: share of the processor time from which on others have disturbed a round.
        meter: tells that share.
        warm_up: rounds in the beginning that never count.
        failed: told of a side that fails and why; the others go on without it.
        tell: told how many rounds have come to count so far, after each.
    """
    left, count = dict(sides), 1
    rounds: list[Round] = []
    quiet = disturbed = 0
    while left and quiet < n_rounds and quiet + disturbed < 2 * n_rounds:
        order = tuple(left) if len(rounds) % 2 else tuple(reversed(left))
        meter.begin()
        samples = _work(left, order, count, failed)
        share = meter.share()
        if len(rounds) < warm_up:
            counts = "no: warm-up"
            if samples:
                count = max(1, min(10_000, round(_SECONDS_OF_A_SAMPLE / _fastest(samples))))
        elif share > limit:
            counts, disturbed = "no: others were busy", disturbed + 1
        else:
            counts, quiet = "yes", quiet + 1
        rounds.append(Round(order, samples, share, counts))  # type: ignore[arg-type]
        tell(min(n_rounds, quiet))
    return _made_up(rounds, n_rounds - quiet)


def _work(
    left: dict[str, Side], order: tuple[str, ...], count: int, failed: Callable[[str, str], None]
) -> dict[str, Sample]:
    samples = {}
    for name in order:
        try:
            samples[name] = left[name].sample(count)
        except SideFailed as why:
            left.pop(name).close()
            failed(name, str(why))
    return samples


def _fastest(samples: Mapping[str, Sample]) -> float:
    return max(1e-9, min(sample.each for sample in samples.values()))


def _made_up(rounds: list[Round], missing: int) -> list[Round]:
    found = []
    for one in rounds:
        if missing > 0 and one.counts == "no: others were busy":
            one, missing = replace(one, counts="yes, though others were busy"), missing - 1
        found.append(one)
    return found
