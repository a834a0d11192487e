"""Runs in a list, without folders behind them."""

from typing import Any

from lab.dashboard.schemas import RunSummary
from lab.dashboard.trainings.columns import Packer, Row, results


def row(
    number: int,
    config: dict[str, Any],
    packer: Packer | None = None,
    outcome: dict[str, Any] | None = None,
    **fields: Any,
) -> Row:
    """The run with this number, these options and, of its summary, these fields."""
    known = {"id": str(number), "path": f"outputs/{number}", "name": str(number), "state": "finished"}
    return Row(RunSummary(**(known | fields)), (packer or Packer()).pack(config), results(outcome or {}))
