"""The profile of a step as a table, and as plain values."""

from dataclasses import asdict
from typing import Any

from lab.profiling.step import PartProfile, StepProfile
from lab.terminal import columns


def as_text(found: StepProfile) -> str:
    """A row for each part, then the whole step."""
    head = ("part", "time", "share", "GFLOP", "GFLOP/s", "its products alone", "of their speed")
    rows = [head, *map(_row, found.parts), _whole(found)]
    lines = [*(line.rstrip() for line in columns(rows)), ""]
    lines.append(
        f"{found.tokens:,} tokens a step, {found.precision}; without the profiler {_ms(found.plain_seconds)} ms, "
        f"{found.tokens / found.plain_seconds:,.0f} tokens/s, {found.products / found.plain_seconds:.0%} of the speed "
        f"of its products alone ({found.peak / 1e9:,.0f} GFLOP/s)"
    )
    if found.compiled:
        lines.append("compiled blocks are one item: what is fused cannot be told apart")
    return "\n".join(lines)


def as_json(found: StepProfile) -> dict[str, Any]:
    """All of it, as plain values; times in seconds, of one step."""
    return {**asdict(found), "flops": found.flops, "peak": found.peak}


def _row(one: PartProfile) -> tuple[str, ...]:
    return (one.part, f"{_ms(one.seconds)} ms", f"{one.share:.1%}", *_arithmetic(one.flops, one.seconds, one.products))


def _whole(found: StepProfile) -> tuple[str, ...]:
    share = sum(one.share for one in found.parts)
    return (
        "step",
        f"{_ms(found.seconds)} ms",
        f"{share:.1%}",
        *_arithmetic(found.flops, found.seconds, found.products),
    )


def _arithmetic(flops: int, seconds: float, products: float | None) -> tuple[str, str, str, str]:
    if not flops or not seconds:
        return ("", "", "", "")
    speed = (f"{flops / 1e9:,.1f}", f"{flops / seconds / 1e9:,.0f}")
    return (*speed, "", "") if products is None else (*speed, f"{_ms(products)} ms", f"{products / seconds:.0%}")


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.1f}" if seconds < 0.1 else f"{1000 * seconds:,.0f}"
