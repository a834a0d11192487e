"""A comparison as a table for people, as JSON and as CSV for programs."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from lab.comparison.run_curve import Run
from lab.comparison.sides import Side
from lab.comparison.verdict import AT_WORDS, UNITS, Contrast, Measured, mean_and_deviation, method, spent
from lab.errors import shown
from lab.files.safe_files import readable
from lab.terminal import columns


def as_json(sides: Sequence[Side], contrasts: Sequence[Contrast], curves: bool = True) -> dict[str, Any]:
    """All of it, as plain values. ``curves``: with every evaluation of every run."""
    return {
        "sides": [
            {
                "name": side.name,
                "options": side.options,
                "runs": [_run(run, curves) for run in side.runs],
            }
            for side in sides
        ],
        "contrasts": [_contrast(sides[0], contrast) for contrast in contrasts],
    }


def _run(run: Run, curves: bool) -> dict[str, Any]:
    last, best = run.evaluations[-1], run.best
    told: dict[str, Any] = {
        "folder": readable(str(run.folder)),
        "name": run.name,
        "seed": run.seed,
        "status": run.results.status,
        "parameters": run.results.parameters,
        "final": vars(last),
        "best": vars(best),
    }
    return told | ({"evaluations": [vars(evaluation) for evaluation in run.evaluations]} if curves else {})


def _contrast(baseline: Side, contrast: Contrast) -> dict[str, Any]:
    return {
        "baseline": baseline.name,
        "side": contrast.side.name,
        "figure": contrast.figure,
        "unit": UNITS[contrast.figure],
        "by": contrast.by,
        "verdict": contrast.verdict,
        "sentence": readable(contrast.sentence),
        "notes": [readable(note) for note in contrast.notes],
        "measured": [_measured(found) for found in contrast.measured],
    }


def _measured(found: Measured) -> dict[str, Any]:
    told = found.difference
    return {
        "at": found.at,
        "budget": found.budget,
        "baseline": list(found.baseline),
        "side": list(found.side),
        "difference": told.mean,
        "low": told.low,
        "high": told.high,
        "method": told.method,
        "pairs": told.pairs,
        "more_seeds": told.more_seeds,
        "outcome": found.outcome,
    }


_COLUMNS = ("side", "baseline", "figure", "at", "budget", "baseline_mean", "side_mean", "difference", "low", "high")
_MORE_COLUMNS = ("method", "pairs", "runs_baseline", "runs_side", "more_seeds", "outcome", "options")


def as_csv(sides: Sequence[Side], contrasts: Sequence[Contrast]) -> str:
    """A line for each side and place; an empty cell is what is not known."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_COLUMNS, *_MORE_COLUMNS])
    for contrast in contrasts:
        options = " ".join(f"{key}={value}" for key, value in contrast.side.options.items())
        for found in contrast.measured:
            told = found.difference
            a, b = found.baseline, found.side
            values = [contrast.side.name, sides[0].name, contrast.figure, found.at, found.budget]
            values += [sum(a) / len(a), sum(b) / len(b), told.mean, told.low, told.high]
            values += [told.method, told.pairs, len(a), len(b), told.more_seeds, found.outcome, _cell(options)]
            writer.writerow(["" if value is None else value for value in values])
    return out.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = readable(text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def as_text(sides: Sequence[Side], contrasts: Sequence[Contrast]) -> str:
    """For people: who is compared, the figures, and the sentences last."""
    lines = ["comparison"]
    for side in sides:
        lines += [f"  {side.label}{', the baseline' if side is sides[0] else ''}: {_whose(side)}"]
    for contrast in contrasts:
        lines += [
            "",
            f"{contrast.side.name} against {sides[0].name}, {UNITS[contrast.figure]}",
            *_rows(sides[0], contrast),
        ]
        lines += [f"  note: {note}" for note in contrast.notes]
    lines += ["", "verdict", *(f"  {contrast.sentence}" for contrast in contrasts)]
    if len(contrasts) > 1:
        lines += ["  Each interval stands for itself: the more ideas are tried, the likelier one is lucky."]
    # Names of folders and options may be anybody's: no line of them moves the cursor of a terminal.
    return "\n".join(shown(readable(line.rstrip()), 10_000) for line in lines)


def _whose(side: Side) -> str:
    if len(side.runs) == 1:
        run = side.runs[0]
        return f"seed {run.seed}, {f'{run.name}, ' if run.name else ''}{run.folder}"
    names = list(dict.fromkeys(run.name for run in side.runs if run.name))
    told = [f"{len(side.runs)} runs, seeds {', '.join(str(seed) for seed in side.seeds)}", *names[:3]]
    return ", ".join(told) + (f" and {len(names) - 3} other names" if len(names) > 3 else "")


def _rows(baseline: Side, contrast: Contrast) -> list[str]:
    head = ("", "spent", baseline.name, contrast.side.name, "difference", "95 % interval", "")
    rows = [head]
    for found in contrast.measured:
        told = found.difference
        interval = "-" if told.low is None or told.high is None else f"{told.low:+.4f} to {told.high:+.4f}"
        budget = "" if found.budget is None else spent(found.at, found.budget)
        sides = mean_and_deviation(found.baseline), mean_and_deviation(found.side)
        rows.append((AT_WORDS[found.at], budget, *sides, f"{told.mean:+.4f}", interval, found.outcome))
    lines = ["  " + line for line in columns(rows, numbers=False)]
    chosen = next(found for found in contrast.measured if found.at == contrast.by)
    several = len(baseline.runs) > 1 or len(contrast.side.runs) > 1
    return [*lines, f"  by {method(chosen)}; ± is the standard deviation over runs"] if several else lines
