"""From options to objects: the model, its optimizer, and what else the options name by its class."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import Logger
from torch import nn
from torch.optim import Optimizer

from lab.config.schema import Config
from lab.errors import LabError
from lab.model import GPTConfig, GPTModel
from lab.optim.parameter_groups import decay_groups
from lab.parts import build_model
from lab.parts.build import parts_of
from lab.parts.contract import check
from lab.training import instantiate


def make_model(config: Config) -> GPTModel:
    """The decoder, freshly initialised under the seed."""
    torch.manual_seed(config.seed)
    return build_model(config.model)


def make_optimizer(config: Config, model: nn.Module, device: str) -> Optimizer:
    """The optimizer of the options over the decay groups of the model."""
    arguments = {k: v for k, v in dataclasses.asdict(config.optimizer).items() if k != "weight_decay"}
    # One kernel for all weights instead of several for each, where the optimizer has one. Not in fp16: there the
    # fused step would divide the gradients by the scaler's factor only after they have been clipped.
    has_fused = instantiate.has_parameter(arguments["_target_"], "fused")
    if has_fused and config.trainer.precision != "16-mixed" and device != "mps":
        arguments["fused"] = True
    found: Optimizer = instantiate.make(
        "optimizer", arguments, Optimizer, decay_groups(model, config.optimizer.weight_decay)
    )
    return found


@dataclass(frozen=True)
class Chosen:
    """The loggers and callbacks of the options, by option (``logger.csv``)."""

    loggers: dict[str, Logger]
    callbacks: dict[str, L.Callback]

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
    make_optimizer(config, GPTModel(GPTConfig(1, 1, 1, 1, vocab_size=2)), device)
    loggers = _objects("logger", config.logger, Logger)
    for option, logger in loggers.items():
        instantiate.refuse_unwritable(option, logger)
    return Chosen(loggers, _objects("callbacks", config.callbacks, L.Callback))


def _objects(group: str, nodes: dict[str, Any], kind: type) -> dict[str, Any]:
    """The objects of a group by their options, such as ``logger.csv``."""
    return {f"{group}.{name}": instantiate.make(f"{group}.{name}", node, kind) for name, node in nodes.items()}
