"""Sides against a baseline: their figures at the end, at their best and at equal cost, and one plain sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from lab.comparison.run_curve import COSTS, Cost, Run
from lab.comparison.sides import Side
from lab.comparison.student import LEVEL, MOST_SEEDS, POWER, Difference, difference
from lab.errors import shown

At = Literal["final", "best", "tokens", "flops", "seconds", "processor_seconds"]
"""Where two sides are compared: at the last evaluation, the best one (of each run), or at equal cost."""
PLACES: tuple[At, ...] = get_args(At)
Figure = Literal["bits_per_byte", "val_loss"]
UNITS: dict[Figure, str] = {"bits_per_byte": "bits per byte", "val_loss": "nats a token"}
AT_WORDS: dict[At, str] = {
    "final": "at the last evaluation",
    "best": "at the best evaluation",
    "tokens": "at equal tokens",
    "flops": "at equal FLOPs",
    "seconds": "at equal time",
    "processor_seconds": "at equal processor time",
}


@dataclass(frozen=True)
class Measured:
    """Two sides at one place."""

    at: At
    budget: float | None
    """What both had spent: the most that every run of both sides reached. None at the last and the best evaluation."""
    baseline: tuple[float, ...]
    """The figure of each run of the baseline."""
    side: tuple[float, ...]
    """The same of the other side."""
    difference: Difference

    @property
    def outcome(self) -> Literal["better", "worse", "not decided"]:
        """Of the side, by a figure of which less is better."""
        outcomes: dict[str, Literal["better", "worse"]] = {"lower": "better", "higher": "worse"}
        return outcomes.get(self.difference.outcome, "not decided")


@dataclass(frozen=True)
class Contrast:
    """A side against the baseline."""

    side: Side
    figure: Figure
    measured: tuple[Measured, ...]
    by: At
    """The place that the verdict is about."""
    notes: tuple[str, ...]
    """What somebody who reads the figures should know."""
    verdict: Literal["better", "worse", "not decided"]
    sentence: str


def contrasts(sides: Sequence[Side], by: At = "tokens") -> list[Contrast]:
    """Each side but the first against the first.

    The figure is bits per byte, which does not depend on the tokenizer; where a run does not know it, the loss. At
    equal cost, each run's figure is read off the straight line between the evaluations before and after. Each interval
    stands for itself: of twenty ideas without effect, one will seem to have one.
    """
    return [_contrast(sides[0], side, by) for side in sides[1:]]


def _contrast(baseline: Side, side: Side, by: At) -> Contrast:
    runs = [*baseline.runs, *side.runs]
    figure: Figure = "bits_per_byte" if all(run.knows("bits_per_byte") for run in runs) else "val_loss"
    measured = tuple(found for at in PLACES if (found := _measure(baseline, side, at, figure)) is not None)
    chosen = next((found for found in measured if found.at == by), measured[0])
    notes, comparable = _notes(baseline, side, figure)
    if chosen.at != by:
        notes.append(f"not every run knows its {by}: the verdict is {AT_WORDS[chosen.at]}")
    verdict = chosen.outcome if comparable else "not decided"
    sentence = _sentence(baseline, side, chosen, figure) if comparable else f"Not decided: {notes[0]}."
    if comparable and (others := _disagreeing(chosen, measured)):
        sentence += f" {others}"
    return Contrast(side, figure, measured, chosen.at, tuple(notes), verdict, sentence)


def _measure(baseline: Side, side: Side, at: At, figure: Figure) -> Measured | None:
    """None if a run does not know what it has spent."""
    budget: float | None = None
    if at in COSTS:
        runs = [*baseline.runs, *side.runs]
        if not all(run.knows(at) for run in runs):
            return None
        budget = min(run.evaluations[-1].value(at) for run in runs)
        if not budget:
            return None  # nothing has been trained yet
    one, other = ([_value(run, at, figure, budget) for run in group.runs] for group in (baseline, side))
    told = difference(list(zip(baseline.seeds, one, strict=True)), list(zip(side.seeds, other, strict=True)))
    return Measured(at, budget, tuple(one), tuple(other), told)


def _value(run: Run, at: At, figure: Figure, budget: float | None) -> float:
    if at == "final":
        return run.evaluations[-1].value(figure)
    if at == "best":
        return run.best.value(figure)
    assert budget is not None
    cost: Cost = at
    return run.at(figure, cost, budget)


def _sentence(baseline: Side, side: Side, chosen: Measured, figure: Figure) -> str:
    told, unit, where = chosen.difference, UNITS[figure], place(chosen)
    size = f"{abs(told.mean):.4f} {unit} {'less' if told.mean < 0 else 'more'}"
    if told.low is None or told.high is None:
        fewest = min(len(baseline.runs), len(side.runs))
        return (
            f"Not decided: {side.label} has {size} than {baseline.name} {where}, but with {_seeds(fewest)} a side "
            "nobody can tell it from luck; run at least two seeds of each, better five."
        )
    interval = f"{LEVEL:.0%} interval of the difference {told.low:+.4f} to {told.high:+.4f}, {method(chosen)}"
    if chosen.outcome != "not decided":
        return f"{side.label} is {chosen.outcome} than {baseline.name} {where}: {size} ({interval})."
    if not told.mean:
        return f"Not decided: {side.label} and {baseline.name} are equal {where} ({interval})."
    if told.more_seeds is None:
        more = f"if the difference is what it seems, not even {MOST_SEEDS:,} seeds a side would decide it"
    else:
        more = (
            f"if the difference is what it seems, {_seeds(told.more_seeds, ' more')} a side would decide it with a "
            f"probability of {POWER:.0%}"
        )
    return f"Not decided: {side.label} has {size} than {baseline.name} {where} ({interval}); {more}."


def place(measured: Measured) -> str:
    """``at equal tokens (48,384)``."""
    if measured.budget is None:
        return AT_WORDS[measured.at]
    return f"{AT_WORDS[measured.at]} ({spent(measured.at, measured.budget)})"


def spent(at: At, budget: float) -> str:
    """A cost with its unit, where it has one."""
    if at == "tokens":
        return f"{budget:,.0f}"
    return f"{budget:.3g}" if at == "flops" else f"{budget:,.1f} s" if budget < 100 else f"{budget:,.0f} s"


def method(measured: Measured) -> str:
    """By which statistics, in words."""
    told = measured.difference
    if told.method == "paired":
        return f"Student's t, paired over {told.pairs} seeds"
    if told.method == "Welch":
        return f"Welch's t, {len(measured.baseline)} and {len(measured.side)} runs"
    return "no statistics"


def _disagreeing(chosen: Measured, measured: Sequence[Measured]) -> str:
    """What comes out differently at another cost: the verdict hangs on what is held equal, and that must be said."""
    decided = [m for m in measured if m.at not in ("final", "best", chosen.at) and m.outcome != "not decided"]
    others = [m for m in decided if m.outcome != chosen.outcome]
    if not others:
        return ""
    words = [f"{m.outcome} {AT_WORDS[m.at]}" for m in others]
    return f"But it is {' and '.join(words)}." if chosen.outcome != "not decided" else f"It is {' and '.join(words)}."


def _notes(baseline: Side, side: Side, figure: Figure) -> tuple[list[str], bool]:
    """What is to be known of two sides; and whether their figures can be compared at all."""
    notes, comparable = [], True
    if texts := _other_text(baseline, side):
        notes.append(f"{baseline.name} and {side.name} were measured on different texts ({texts})")
        comparable = False
    tokenizers = {_tokenizer(run) for run in (*baseline.runs, *side.runs)}
    if figure == "val_loss" and len(tokenizers) > 1:
        notes.append("losses a token of different tokenizers, and bits per byte are not known of every run")
        comparable = False
    for group in (baseline, side):
        if len(set(group.seeds)) < len(group.runs):
            notes.append(f"{group.name} has several runs of one seed, of which the last one counts in pairs")
        going_on = [run for run in group.runs if run.results.status != "finished"]
        if going_on:
            some = f"{len(going_on)} of the {len(group.runs)} runs" if len(group.runs) > 1 else "the run"
            notes.append(f"{some} of {group.name} {'has' if len(going_on) == 1 else 'have'} not finished")
    return notes, comparable


_OF_THE_TEXT = ("data.val_fraction", "corpus.document_separator")


def _other_text(baseline: Side, side: Side) -> str:
    """In what the validation texts differ; empty if they are the same as far as can be known."""
    for name in _OF_THE_TEXT:
        values = {str(run.options.get(name)) for run in (*baseline.runs, *side.runs) if run.options}
        if len(values) > 1:
            return f"{name}: {', '.join(shown(value) for value in sorted(values))}"
    same_tokens = len({_tokenizer(run) for run in (*baseline.runs, *side.runs)}) == 1
    named = "data.max_val_tokens"  # in tokens, of which another tokenizer makes another length of text
    if same_tokens and len({run.options.get(named) for run in (*baseline.runs, *side.runs)}) > 1:
        return named
    keys = ("fingerprint",) if same_tokens else ("name", "bytes", "documents")
    for key in keys:
        told = [run.results.corpus for run in (*baseline.runs, *side.runs) if run.results.corpus]
        if len({str(corpus.get(key)) for corpus in told if corpus.get(key) is not None}) > 1:
            names = sorted({shown(str(corpus.get("name"))) for corpus in told})
            return ", ".join(names) if len(names) > 1 else f"both called {names[0]}"
    return ""


def _tokenizer(run: Run) -> tuple[str, ...]:
    return tuple(f"{k}={v}" for k, v in sorted(run.options.items()) if k == "tokenizer" or k.startswith("tokenizer."))


def _seeds(number: int, more: str = "") -> str:
    return f"one{more} seed" if number == 1 else f"{number:,}{more} seeds"


def mean_and_deviation(values: Sequence[float]) -> str:
    """``1.2345``, or ``1.2345 ± 0.0012`` (the standard deviation over seeds) for several."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.4f}"
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return f"{mean:.4f} ± {deviation:.4f}"
