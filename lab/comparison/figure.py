"""The curves of a comparison as a picture. matplotlib is an extra, and imported only here."""

import math
from collections.abc import Sequence
from pathlib import Path

from lab.comparison.run_curve import COSTS
from lab.comparison.sides import Side
from lab.comparison.verdict import Contrast
from lab.files import atomic

KINDS = (".png", ".svg", ".pdf")
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which read with any colour vision."""
_X = {"tokens": "tokens", "flops": "FLOPs", "seconds": "seconds of training", "processor_seconds": "processor seconds"}


def save(sides: Sequence[Side], contrasts: Sequence[Contrast], path: Path) -> None:
    """Writes the curves of all runs against what they cost, a colour a side, to ``path``, atomically; its ending, one
    of ``KINDS``, decides the format.

    Raises:
        ImportError: if matplotlib is not installed.
        OSError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure_name = contrasts[0].figure if len({c.figure for c in contrasts}) == 1 else "val_loss"
    costs: list[str] = [c for c in COSTS if all(run.knows(c) for side in sides for run in side.runs)]
    columns = 2 if len(costs) > 1 else 1
    rows = max(1, math.ceil(len(costs) / columns))
    figure = Figure(figsize=(4.8 * columns, 3.2 * rows + 0.4), layout="constrained")
    axes_row = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    for unused in axes_row[max(1, len(costs)) :]:
        unused.remove()
    for axes, cost in zip(axes_row, costs or ["step"], strict=False):
        for place, side in enumerate(sides):
            for number, run in enumerate(side.runs):
                points = [(e.value(cost), e.value(figure_name)) for e in run.evaluations]
                shown = [(x, y) for x, y in points if not math.isnan(y)]
                axes.plot(
                    [x for x, _ in shown],
                    [y for _, y in shown],
                    color=_COLOURS[place % len(_COLOURS)],
                    linestyle=("-", "--", ":", "-.")[place // len(_COLOURS) % 4],
                    linewidth=1.2,
                    alpha=0.8,
                    label=side.label if number == 0 and axes is axes_row[0] else None,
                )
        axes.set_xlabel(_X.get(cost, "optimizer steps"))
        axes.grid(alpha=0.3)
        axes.set_ylabel("bits per byte" if figure_name == "bits_per_byte" else "loss, nats a token")
    legend = figure.legend(loc="outside upper left", fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a dollar sign in an option is a dollar sign
    kind = path.suffix.removeprefix(".").lower()
    with atomic.writing(path) as file:
        figure.savefig(file, format=kind, dpi=130, metadata={"Date": None} if kind == "svg" else None)
