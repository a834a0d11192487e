"""The figures of a benchmark as a picture. matplotlib is an extra, and imported only here."""

from collections.abc import Sequence
from pathlib import Path

from lab.benchmark.cases import LIMITS
from lab.benchmark.outcome import Outcome
from lab.files import atomic

KINDS = (".svg", ".png", ".pdf")


def save(outcomes: Sequence[Outcome], path: Path) -> None:
    """Writes a bar for each side of each case, how many times as fast as the lab it is, to ``path``, atomically; its
    ending, one of ``KINDS``, decides the format. The whiskers are the quartiles.

    Raises:
        ImportError: if matplotlib is not installed.
        OSError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = [
        (
            f"{side.side}  {outcome.case.label}",
            1 / side.times_lab.median,
            1 / side.times_lab.high,
            1 / side.times_lab.low,
        )
        for outcome in outcomes
        for side in outcome.sides
        if side.times_lab is not None and side.side not in ("lab", *LIMITS)
    ]
    figure = Figure(figsize=(9, 1.2 + 0.35 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, (_, middle, low, high) in enumerate(reversed(rows)):
        axes.barh(place, middle, color="#0072b2", height=0.6)
        axes.plot([low, high], [place, place], color="0.2", linewidth=1.5)
    axes.axvline(1, color="#d55e00", linestyle="--")
    axes.set_yticks(range(len(rows)), [label for label, *_ in reversed(rows)], fontsize=8)
    axes.set_xlabel("speed, the lab = 1")
    axes.grid(axis="x", alpha=0.3)
    kind = path.suffix.removeprefix(".").lower()
    with atomic.writing(path) as file:
        figure.savefig(file, format=kind, dpi=130, metadata={"Date": None} if kind == "svg" else None)
