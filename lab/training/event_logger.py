"""The run's event log as a Lightning logger: what TensorBoard is told, it is told by the same call."""

from collections.abc import Callable, Mapping
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from lab.runs.events import EventLog


class EventLogger(Logger):
    """Passes metrics on to an ``EventLog``, and then to whoever ``watches`` them."""

    def __init__(self, log: EventLog, watches: Callable[[int, Mapping[str, float]], None] | None = None) -> None:
        super().__init__()
        self.log = log
        self.watches = watches

    @property
    def name(self) -> str:
        return "events"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.log.metrics(step or 0, metrics)
        if self.watches is not None:
            self.watches(step or 0, metrics)

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """Nothing: the options are in config.yaml."""
