"""One run as a comparison sees it: its options, and what each evaluation found and had cost."""

import contextlib
import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from lab.files.run_files import CONFIG_FILE, RESULTS_FILE
from lab.files.safe_files import read_json, read_object
from lab.runs import events
from lab.runs.notes import read_notes
from lab.runs.results import Results, checked
from lab.runs.state import State

Cost = Literal["tokens", "flops", "seconds", "processor_seconds"]
"""What training costs: ``lab.training.spent`` says how each is counted."""
COSTS: tuple[Cost, ...] = get_args(Cost)


@dataclass(frozen=True)
class Evaluation:
    """One validation over the whole validation text, after ``step`` finished optimizer steps. None: not known."""

    step: int
    val_loss: float
    """Nats a token."""
    bits_per_byte: float | None
    tokens: float | None
    """Trained on so far, each as often as it was seen."""
    flops: float | None
    seconds: float | None
    """Of training, by the clock."""
    processor_seconds: float | None

    def value(self, figure: str) -> float:
        """One of the above by name; NaN if it is not known."""
        found = getattr(self, figure)
        return math.nan if found is None else float(found)


@dataclass(frozen=True)
class Run:
    """A run folder, read."""

    folder: Path
    name: str
    """What somebody calls it; empty if nobody has named it."""
    options: dict[str, Any]
    """Every option, by its full name: ``{"model.emb_dim": 256, ...}``; empty if its config.yaml is no use."""
    results: Results
    state: State | None
    """The last that its log says; None if it says nothing."""
    evaluations: tuple[Evaluation, ...]
    """By step."""

    @property
    def seed(self) -> int | None:
        found = self.options.get("seed", self.results.seed)
        return found if type(found) is int else None

    @property
    def best(self) -> Evaluation:
        """The evaluation with the lowest loss. There must be one."""
        return min(self.evaluations, key=lambda evaluation: evaluation.val_loss)

    def knows(self, figure: str) -> bool:
        """Does every evaluation know it?"""
        return all(not math.isnan(evaluation.value(figure)) for evaluation in self.evaluations)

    def at(self, figure: str, cost: Cost, budget: float) -> float:
        """``figure`` after training has cost ``budget``: on the straight line between the two evaluations around it.
        The budget lies within what this run has spent, and ``cost`` is known."""
        costs = [evaluation.value(cost) for evaluation in self.evaluations]
        after = min(bisect_left(costs, budget), len(costs) - 1)
        found = self.evaluations[after].value(figure)
        if after == 0 or costs[after] <= budget:
            return found
        share = (budget - costs[after - 1]) / (costs[after] - costs[after - 1])
        return (1 - share) * self.evaluations[after - 1].value(figure) + share * found


def read_run(folder: Path) -> Run:
    """What a run folder says, as far as it is readable: it may be torn, damaged, or come from anywhere."""
    points: dict[int, dict[str, float]] = {}
    state: State | None = None
    for event in events.read(folder):
        if event["kind"] == "continued":  # what was measured after its step will be measured again
            points = {step: figures for step, figures in points.items() if step <= event["step"]}
        elif event["kind"] == "metrics":
            points.setdefault(event["step"], {}).update(events.figures(event))
        elif event["kind"] == "state":
            state = event["state"]
    options = read_object(folder / CONFIG_FILE, lambda content: yaml.load(content, _loader()))
    return Run(
        folder,
        read_notes(folder).name,
        _flat(options),
        checked(read_json(folder / RESULTS_FILE)),
        state,
        _evaluations(points),
    )


def _evaluations(points: dict[int, dict[str, float]]) -> tuple[Evaluation, ...]:
    seen = sorted((step, figures["tokens_seen"]) for step, figures in points.items() if "tokens_seen" in figures)
    found = [
        Evaluation(
            step,
            figures["val_loss"],
            _loss(figures.get("val_bits_per_byte")),
            _finite(figures.get("spent_tokens", _tokens_at(step, [(0, 0.0), *seen]))),
            _finite(figures.get("spent_flops")),
            _finite(figures.get("spent_seconds")),
            _finite(figures.get("spent_processor_seconds")),
        )
        for step, figures in sorted(points.items())
        if _loss(figures.get("val_loss")) is not None
    ]
    unknown: dict[str, Any] = {cost: None for cost in COSTS if not _rises([e.value(cost) for e in found])}
    return tuple(Evaluation(**{**vars(evaluation), **unknown}) for evaluation in found)


def _tokens_at(step: int, seen: list[tuple[int, float]]) -> float | None:
    """Tokens at a step, of a run that logged them at its training points only (an older one)."""
    after = bisect_left(seen, (step, -math.inf))
    if after < len(seen) and seen[after][0] == step:
        return seen[after][1]
    if not 0 < after < len(seen):
        return None
    (first, low), (last, high) = seen[after - 1], seen[after]
    return low + (high - low) * (step - first) / (last - first)


def _rises(costs: list[float]) -> bool:
    """What is spent is not got back: a log in which it is tells no cost."""
    return all(low <= high for low, high in pairwise(costs)) and all(cost >= 0 for cost in costs)


def _loss(value: float | None) -> float | None:
    """A loss that one can calculate with: a log from anywhere may say 1e300, whose square is no number."""
    return value if value is not None and 0 <= value < 1e9 else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, item in value.items():
        found |= _flat(item, f"{prefix}{name}.") if isinstance(item, dict) else {f"{prefix}{name}": item}
    return found


def _loader() -> Any:
    with contextlib.suppress(AttributeError):
        return yaml.CSafeLoader
    return yaml.SafeLoader
