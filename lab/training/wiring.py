"""From options to objects: the model and its optimizer. Nothing of Lightning is needed for either."""

import dataclasses
import difflib
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from lab.config.optimizer_schema import AdamWConfig, MuonConfig, OptimizerConfig
from lab.config.schema import Config
from lab.errors import LabError
from lab.model import GPTModel
from lab.optim import mup
from lab.optim.parameter_groups import Role, decay_groups, role_groups
from lab.parts import build_model
from lab.training import instantiate


def make_model(config: Config) -> GPTModel:
    """The decoder, freshly initialised under the seed.

    Raises:
        LabError: if the options scale its first weights by muP, and it has no place for that.
    """
    torch.manual_seed(config.seed)
    model = build_model(config.model)
    if (ratio := _mup_ratio(config)) is not None:
        try:
            mup.rescale(model, ratio)
        except ValueError as error:
            raise LabError(f"optimizer.mup_base_width: {error}; leave it out") from error
    return model


def make_optimizer(config: Config, model: nn.Module, device: str) -> Optimizer:
    """The optimizer of the options over the parameters of the model, in groups.

    Raises:
        LabError: if an option is none of its class, or it cannot be made.
    """
    arguments = _arguments(config.optimizer)
    # One kernel for all weights instead of several for each, where the optimizer has one. Not in fp16: there the
    # fused step would divide the gradients by the scaler's factor only after they have been clipped.
    has_fused = instantiate.has_parameter(arguments["_target_"], "fused")
    if has_fused and config.trainer.precision != "16-mixed" and device != "mps":
        arguments.setdefault("fused", True)
    found: Optimizer = instantiate.make("optimizer", arguments, Optimizer, _groups(config, model))
    if not all("lr" in group for group in found.param_groups):
        raise LabError(f"optimizer: {arguments['_target_']} has no lr in its groups, which a schedule could move")
    return found


_OF_GROUPS = ("weight_decay", "embedding_lr", "head_lr", "adamw_lr", "mup_base_width", "options")
"""Options of an optimizer that its class is not told, but each of its groups."""


def _arguments(options: OptimizerConfig) -> dict[str, Any]:
    """What the class of the optimizer is told: of another class than the chosen file's, what it can take."""
    fields = {f.name: f for f in dataclasses.fields(options) if f.name not in _OF_GROUPS}
    found = {name: getattr(options, name) for name in fields}
    target: str = options._target_
    known = instantiate.parameters(target)
    if known is None:  # one that takes anything, or none at all, which is said when it is to be made
        return {**found, **options.options}
    for name, f in fields.items():
        if name in known or name == "_target_":
            continue
        if f.default is not dataclasses.MISSING and list(_listed(found[name])) == list(_listed(f.default)):
            del found[name]  # nobody asked for it
        else:
            raise LabError(_no_option(name, target, known))
    for name in options.options:
        if name not in known:
            raise LabError(_no_option(name, target, known))
    return {**found, **options.options}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _no_option(name: str, target: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean optimizer.{near[0]}?" if near else f"it takes {', '.join(known)}"
    return f"optimizer.{name}: {target} has no such option; {hint}"


def _groups(config: Config, model: nn.Module) -> list[dict[str, Any]]:
    """The parameter groups: two, or one for each role where the options give them rates of their own."""
    options = config.optimizer
    if not isinstance(options, AdamWConfig | MuonConfig):
        return decay_groups(model, options.weight_decay)
    ratio, own = _mup_ratio(config), (options.embedding_lr, options.head_lr)
    if isinstance(options, AdamWConfig) and ratio is None and own == (None, None):
        return decay_groups(model, options.weight_decay)
    rates = mup.rates(options.lr, ratio or 1.0)
    if isinstance(options, MuonConfig) and options.adamw_lr is not None:
        rates = {**dict.fromkeys(rates, options.adamw_lr), "hidden": options.lr}
    for role, rate in zip(("embedding", "head"), own, strict=True):
        if rate is not None:
            rates[role] = rate  # type: ignore[index]
    # The decay of a step is rate times weight decay, and that is to stay.
    decays: dict[Role, float] = (
        {"hidden": options.weight_decay * ratio, "other": options.weight_decay * ratio} if ratio else {}
    )
    return role_groups(model, options.weight_decay, rates, decays)


def _mup_ratio(config: Config) -> float | None:
    """How much wider the model is than the one that the learning rate was found for, if the options say so."""
    base = config.optimizer.mup_base_width if isinstance(config.optimizer, AdamWConfig) else None
    return None if base is None else config.model.emb_dim / base
