"""How the weights and the gradients of a run were spread: ``distributions.json`` in its folder.

A moment of it is what one evaluation has seen. Each matrix of the model is counted twice: its weights in bins of equal
width around zero, and the gradient that moved it last by powers of two, for gradients differ by orders of magnitude
where weights do not.
"""

from pathlib import Path
from typing import TypedDict

from lab.files import atomic, strict_json
from lab.files.run_files import DISTRIBUTIONS_FILE
from lab.files.safe_files import read_json
from lab.files.validation import Kind, Unfit, nothing_or, number, parts, rows, table, whole

WEIGHT_BINS = 48
LOWEST_EXPONENT, HIGHEST_EXPONENT = -44, 8
GRADIENT_BINS = HIGHEST_EXPONENT - LOWEST_EXPONENT
MOST = 64
"""Moments that are kept."""


class Weights(TypedDict):
    """Counts in ``WEIGHT_BINS`` bins of equal width from ``-edge`` to ``edge``."""

    edge: float
    counts: list[int]


class Gradients(TypedDict):
    """Counts by size: bin i from 2^(``LOWEST_EXPONENT`` + i) to twice that; what lies beyond is in the outermost."""

    zeros: int
    """Numbers that are exactly zero: of an embedding, the rows of tokens that the batch did not have."""
    counts: list[int]


class Part(TypedDict):
    """A part of the model, all its matrices together."""

    weights: Weights
    gradients: Gradients | None
    """None before the first step."""


class Moment(TypedDict):
    """After ``step`` finished optimizer steps."""

    step: int
    parts: dict[str, Part]
    """By the part's name in the model: ``token_embedding``, ``blocks.0.attention``, ..."""


_COUNT = whole()
_WEIGHTS = parts({"edge": number(0), "counts": rows(_COUNT, WEIGHT_BINS)})
_GRADIENTS = parts({"zeros": _COUNT, "counts": rows(_COUNT, GRADIENT_BINS)})
_PART = parts({"weights": _WEIGHTS}, {"gradients": nothing_or(_GRADIENTS)})
_MOMENTS: Kind = rows(parts({"step": _COUNT, "parts": table(_PART)}))


def read(folder: Path) -> list[Moment]:
    """The moments of a run folder, by step; none where there is no file, or it is not one of these."""
    try:
        found = _MOMENTS(read_json(folder / DISTRIBUTIONS_FILE).get("moments", []), "moments")
    except Unfit:
        return []
    for moment in found:
        for part in moment["parts"].values():
            part.setdefault("gradients", None)
    moments: list[Moment] = sorted(found, key=lambda moment: moment["step"])
    return moments[:MOST]


def write(folder: Path, moments: list[Moment]) -> None:
    """Replaces the file, atomically.

    Raises:
        OSError: if it cannot be written.
    """
    atomic.write_text(folder / DISTRIBUTIONS_FILE, strict_json.dumps({"moments": moments}) + "\n")


def thinned(moments: list[Moment]) -> list[Moment]:
    """At most ``MOST`` of them, as evenly spread over the run as leaving single ones out makes it; the first and the
    last stay."""
    kept = list(moments)
    while len(kept) > MOST:
        gap = [after["step"] - before["step"] for before, after in zip(kept, kept[2:], strict=False)]
        del kept[1 + gap.index(min(gap))]
    return kept
