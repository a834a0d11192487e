"""The figures of a benchmark as tables."""

from collections.abc import Sequence

from lab.benchmark.cases import LIMITS
from lab.benchmark.outcome import Outcome, SideOutcome, Spread
from lab.terminal import columns


def as_text(outcomes: Sequence[Outcome]) -> str:
    """A table for each case."""
    return "\n\n".join(map(_table, outcomes))


def _table(outcome: Outcome) -> str:
    case, counted = outcome.case, len(outcome.counted)
    limit = f"of its {case.limit}'{'' if str(case.limit).endswith('s') else 's'} speed"
    head = ("side", f"{case.unit}/s", "time of one", "times the lab's time", limit, "memory")
    rows = [head, *(_row(side) for side in outcome.sides if side.seconds is not None)]
    shown = [column for column in range(len(head)) if any(row[column] for row in rows[1:])]
    about = f"{_many(counted, 'round')}, {_many(outcome.threads, 'thread')}"
    lines = [f"{case.label}; {about}"]
    lines += ["  " + line.rstrip() for line in columns([[row[column] for column in shown] for row in rows])]
    lines += [f"  {side.side}: {side.error}" for side in outcome.sides if side.error]
    return "\n".join([*lines, *(f"  note: {note}" for note in outcome.notes)])


def _row(side: SideOutcome) -> tuple[str, ...]:
    assert side.seconds is not None
    speed = _number(side.rate or 0.0)
    for fact, unit in (("flops", "GFLOP/s"), ("bytes", "GB/s")):
        if fact in side.facts and side.side in LIMITS:
            speed = f"{side.facts[fact] / side.seconds.median / 1e9:,.0f} {unit}"
    compared = side.side not in ("lab", *LIMITS)
    return (
        side.side,
        speed,
        _seconds(side.seconds.median),
        _spread(side.times_lab, "{:.2f}") if compared else "",
        _spread(side.share_of_limit, "{:.0%}") if side.side not in LIMITS else "",
        f"{side.peak / 1e6:,.0f} MB" if side.peak else "",
    )


def _spread(found: Spread | None, form: str) -> str:
    if found is None:
        return ""
    return f"{form.format(found.median)} ({form.format(found.low)} to {form.format(found.high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _many(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"


def _seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} us"
