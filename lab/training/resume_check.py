"""Whether a checkpoint fits the run that is to go on from it: asked before anything of either is touched."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lab.config.schema import Config, to_plain
from lab.errors import LabError
from lab.files.validation import inside
from lab.optim.parameter_groups import decay_groups
from lab.runs import tensors
from lab.runs.checkpoint_schema import PREFIX, CheckpointDict
from lab.training import wiring

_NEVER_NEGATIVE = ("exp_avg_sq", "max_exp_avg_sq", "square_avg", "sum", "acc_delta", "exp_inf")
"""Averages of squares: an optimizer takes their root."""


def refuse_unfit(checkpoint: CheckpointDict, config: Config, device: str, path: Path) -> None:
    """Checks what a checkpoint that is sound by itself (``lab.runs.checkpoint_schema``) may yet be wrong for: training
    on from its numbers, with the model and the optimizer of ``config``.

    Raises:
        LabError: naming what does not fit.
    """
    for name, tensor in checkpoint["state_dict"].items():
        if not tensors.within(tensor):
            raise LabError(
                f"{path} cannot be continued: there is NaN or infinity in its weights ({name}); use an older checkpoint"
            )
    state = checkpoint["optimizer_states"][0]["state"]
    then, now = checkpoint["lab"]["config"].get("optimizer") or {}, to_plain(config.optimizer)
    names = [name.removeprefix(PREFIX) for name in checkpoint["state_dict"]]
    groups = decay_groups(tensors.without_memory(config.model, names), 0.0)
    expected = [_remembered(config, device, group["params"][0].dim()) for group in groups]
    if not state and checkpoint["global_step"] and any(expected) and then == now and not _skips(checkpoint):
        raise LabError(f"{path} lacks parts that every checkpoint of this lab has: what the optimizer remembers")
    parameters = [
        (parameter, kept) for group, kept in zip(groups, expected, strict=True) for parameter in group["params"]
    ]
    for key, row in state.items():
        parameter, kept = parameters[key]
        for name, pattern in kept.items():
            if name not in row or not _alike(row[name], pattern, parameter):
                raise LabError(
                    f"{path} belongs to another run: what its optimizer remembers ({then.get('_target_')}) is of no "
                    f"use to {now['_target_']}, which needs {name} of each weight, as large as it; continue it with "
                    "the same optimizer, or begin a new run with its weights: init_from="
                )
        for name, value in row.items():
            if isinstance(value, Tensor) and not tensors.within(value, 0.0 if name in _NEVER_NEGATIVE else None):
                raise LabError(
                    f"{path} cannot be continued: its optimizer remembers impossible numbers "
                    f"({inside(f'optimizer_states[0].state[{key}]', name)}); use an older checkpoint"
                )


def _remembered(config: Config, device: str, dimensions: int) -> dict[str, Any]:
    """What the optimizer keeps of a parameter: asked of itself, by a step on small ones."""
    shapes = ((2, 3), (2,))
    parameters = [nn.Parameter(torch.ones(shape)) for shape in shapes]
    optimizer = wiring.make_optimizer(config, nn.ParameterList(parameters), device)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return dict(optimizer.state.get(parameters[shapes.index((2, 3)[:dimensions])], {}))


def _alike(value: Any, pattern: Any, parameter: Tensor) -> bool:
    """Is ``value`` to ``parameter`` what ``pattern`` is to the small one?"""
    if not isinstance(pattern, Tensor):
        return type(value) is type(pattern)
    if not isinstance(value, Tensor):
        return False
    like_it = pattern.dim() == parameter.dim() and 1 not in pattern.shape
    return value.shape == (parameter.shape if like_it else value.shape if pattern.dim() else ())


def _skips(checkpoint: CheckpointDict) -> bool:
    """Was it written in fp16, where steps whose gradients overflow are left out? Then there may be nothing yet."""
    return "MixedPrecision" in checkpoint
