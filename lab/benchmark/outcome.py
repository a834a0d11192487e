"""What came out of a case: medians, ratios and their spread."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lab.benchmark.cases import Case
from lab.benchmark.rounds import Round

_FIRST_LOSS = 0.5
"""Nats by which the first losses of two sides may differ: fresh weights know nothing, whoever has drawn them."""


@dataclass(frozen=True)
class Spread:
    """A figure of each round: the median, and between what the middle half lies."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(frozen=True)
class SideOutcome:
    """The figures of one side."""

    side: str
    seconds: Spread | None
    """Of doing the work once; None if there is no round of it that counts."""
    rate: float | None
    """Of the case's unit, in a second, by the median."""
    times_lab: Spread | None
    """How many times as long as the lab it took, round by round."""
    share_of_limit: Spread | None
    """Time of the case's limit (see ``Case.limit``) over that of the side, round by round."""
    peak: int
    """Bytes."""
    facts: dict[str, Any]
    error: str | None


@dataclass(frozen=True)
class Outcome:
    """The figures of a case, and all that they were made of."""

    case: Case
    threads: int
    sides: list[SideOutcome]
    rounds: list[Round]

    @property
    def counted(self) -> list[Round]:
        """The rounds that count."""
        return [one for one in self.rounds if one.counts.startswith("yes")]

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of the figures."""
        found = []
        again = [one for one in self.rounds if one.counts == "no: others were busy"]
        busy = [one for one in self.counted if one.counts != "yes"]
        if again or busy:
            disturbed = len(again) + len(busy)
            found.append(f"others were busy: {disturbed} rounds were disturbed, {len(busy)} of them count all the same")
        ours = next((side.facts for side in self.sides if side.side == "lab"), {})
        for side in self.sides:
            found += _differences(side, ours)
        return found


def make(
    case: Case, threads: int, rounds: list[Round], facts: dict[str, dict[str, Any]], errors: dict[str, str]
) -> Outcome:
    """The figures of ``rounds``; ``facts`` is what each side has said of itself, ``errors`` why sides have failed."""
    counted = [one.samples for one in rounds if one.counts.startswith("yes")]

    def ratios(over: str, under: str) -> Spread | None:
        both = [one for one in counted if over in one and under in one]
        return Spread.of([one[over].each / one[under].each for one in both]) if both else None

    sides = []
    for side in case.sides:
        mine = [one[side] for one in counted if side in one]
        seconds = Spread.of([sample.each for sample in mine]) if mine else None
        amount = case.amount or float(facts.get(side, {}).get(case.unit, 0.0))
        peaks = [one.samples[side].peak for one in rounds if side in one.samples]
        sides.append(
            SideOutcome(
                side,
                seconds,
                amount / seconds.median if seconds else None,
                ratios(side, "lab"),
                ratios(case.limit, side) if case.limit else None,
                max(peaks, default=0),
                facts.get(side, {}),
                errors.get(side),
            )
        )
    return Outcome(case, threads, sides, rounds)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """All of it, as plain values."""
    case = outcome.case
    return {
        "what": case.what,
        "label": case.label,
        "options": list(case.words),
        "unit": case.unit,
        "threads": outcome.threads,
        "sides": [asdict(side) for side in outcome.sides],
        "rounds": [asdict(one) for one in outcome.rounds],
        "notes": outcome.notes,
    }


def _differences(side: SideOutcome, ours: dict[str, Any]) -> list[str]:
    """In what a side did other work than the lab: nothing is held against it that it did not do alike."""
    found = [f"{side.side} {difference}" for difference in side.facts.get("differs", [])]
    mine, lab = side.facts.get("parameters"), ours.get("parameters")
    if mine is not None and lab is not None and mine != lab:
        found.append(f"{side.side} has {mine:,} parameters, the lab {lab:,}")
    loss, first = side.facts.get("first_loss"), ours.get("first_loss")
    if loss is not None and first is not None and abs(loss - first) > _FIRST_LOSS:
        found.append(f"{side.side} begins at a loss of {loss:.2f}, the lab at {first:.2f}")
    tokens, our_tokens = side.facts.get("tokens"), ours.get("tokens")
    if tokens is not None and tokens != our_tokens:
        found.append(f"{side.side} makes {tokens:,} tokens, the lab {our_tokens:,}")
    return found
