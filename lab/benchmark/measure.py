"""Measures a case: sets its sides up, takes the rounds, and makes figures of them."""

import tempfile
from collections.abc import Callable
from typing import Any

from lab.benchmark import outcome, rounds
from lab.benchmark.cases import Case
from lab.benchmark.disturbance import Others
from lab.benchmark.outcome import Outcome
from lab.benchmark.processes import Side, SideFailed, Starter, TrainStarter, Worker


def measure(
    case: Case, n_rounds: int, threads: int, limit: float, tell: Callable[[int], None], *, failed: Callable[[str], None]
) -> Outcome:
    """The figures of ``case`` from ``n_rounds`` rounds that count.

    Args:
        case: what is measured.
        n_rounds: how many rounds are to count.
        threads: of each process.
        limit: see ``lab.benchmark.rounds.take``.
        tell: told how many rounds have come to count, after each.
        failed: told, in one line, of a side that cannot take part or go on.
    """
    sides: dict[str, Side] = {}
    errors: dict[str, str] = {}

    def lost(side: str, why: str) -> None:
        errors[side] = why
        failed(f"{side} is left out of {case.label}: {why}")

    with tempfile.TemporaryDirectory() as folder:
        try:
            for name in case.sides:
                try:
                    sides[name] = _set_up(case, name, {**case.job(name), "threads": threads, "folder": folder})
                except SideFailed as why:
                    lost(name, str(why))
            warm_up = 1 if case.what == "startup" else rounds.WARM_UP
            taken = rounds.take(sides, n_rounds, limit, Others(), warm_up=warm_up, failed=lost, tell=tell)
            return outcome.make(case, threads, taken, {name: side.facts for name, side in sides.items()}, errors)
        finally:
            for side in sides.values():
                side.close()


def _set_up(case: Case, name: str, job: dict[str, Any]) -> Side:
    if case.what != "startup":
        return Worker(job)
    return TrainStarter(job) if name == "lab" else Starter(job)
