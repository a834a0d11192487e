"""What the options name by its class, made: loggers, callbacks, metrics."""

from dataclasses import dataclass, field
from typing import Any

import lightning as L
from lightning.pytorch.loggers import Logger

from lab.config.schema import Config
from lab.errors import LabError
from lab.model import GPTConfig, GPTModel
from lab.parts.build import parts_of
from lab.parts.contract import check
from lab.system import ranks
from lab.training import instantiate, wiring
from lab.training.own_metrics import OwnMetrics


@dataclass(frozen=True)
class Chosen:
    """The loggers and callbacks of the options, by option (``logger.csv``), and the metrics."""

    loggers: dict[str, Logger]
    callbacks: dict[str, L.Callback]
    metrics: OwnMetrics = field(default_factory=lambda: OwnMetrics({}))

    def blame(self, error: Exception) -> LabError | None:
        """The sentence for an error that came out of one of them, because an option of it makes no sense."""
        return instantiate.blame(error, {**self.loggers, **self.callbacks})


def choose(config: Config, device: str) -> Chosen:
    """The loggers and callbacks of the options. Nothing is written by any of them yet, and the optimizer is tried on a
    model of no size: what cannot be had is told before the run begins.

    Raises:
        LabError: naming the first of them that cannot be made, is no logger or callback, or has no place to write.
    """
    check(config.model, parts_of(config.model))
    wiring.make_optimizer(config, GPTModel(GPTConfig(1, 1, 1, 1, vocab_size=2)), device)
    loggers = _objects("logger", config.logger, Logger) if ranks.is_first() else {}  # one process draws the curves
    for option, logger in loggers.items():
        instantiate.refuse_unwritable(option, logger)
    return Chosen(loggers, _objects("callbacks", config.callbacks, L.Callback), OwnMetrics(config.metrics))


def _objects(group: str, nodes: dict[str, Any], kind: type) -> dict[str, Any]:
    """The objects of a group by their options, such as ``logger.csv``."""
    return {f"{group}.{name}": instantiate.make(f"{group}.{name}", node, kind) for name, node in nodes.items()}
