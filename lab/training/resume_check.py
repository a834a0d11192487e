"""Whether a checkpoint fits the run that is to go on from it: asked before anything of either is touched."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lab.config.schema import Config, to_plain
from lab.errors import LabError
from lab.files import user_code
from lab.files.validation import Unfit, inside
from lab.optim.parameter_groups import Role, decay_groups, role, roles
from lab.runs import tensors
from lab.runs.checkpoint_schema import PREFIX, CheckpointDict
from lab.runs.optimizer_state import average
from lab.training import wiring

_NEVER_NEGATIVE = (
    *("exp_avg_sq", "max_exp_avg_sq", "square_avg", "sum", "acc_delta", "exp_inf"),
    *("row_var", "col_var", "variance"),
)
"""Averages of squares: an optimizer takes their root."""


def refuse_unfit(checkpoint: CheckpointDict, config: Config, device: str, path: Path) -> None:
    """Checks what a checkpoint that is sound by itself (``lab.runs.checkpoint_schema``) may yet be wrong for: training
    on from its numbers, with the model and the optimizer of ``config``.

    Raises:
        LabError: naming what does not fit.
    """
    if checkpoint["lab"].get("weights_only"):
        raise LabError(
            f"{path} holds the weights of step {checkpoint['global_step']:,} alone, to be looked at: go on from a "
            "whole checkpoint (resume= with the folder of the run takes the newest), or begin a new run with these "
            "weights: init_from="
        )
    for name, tensor in checkpoint["state_dict"].items():
        if not tensors.within(tensor):
            raise LabError(
                f"{path} cannot be continued: there is NaN or infinity in its weights ({name}); use an older checkpoint"
            )
    state = checkpoint["optimizer_states"][0]["state"]
    then, now = checkpoint["lab"]["config"].get("optimizer") or {}, to_plain(config.optimizer)
    names = [name.removeprefix(PREFIX) for name in checkpoint["state_dict"]]
    model = tensors.without_memory(config.model, names)
    expected = remembered(config, device)
    if not state and checkpoint["global_step"] and any(expected.values()) and then == now and not _skips(checkpoint):
        raise LabError(f"{path} lacks parts that every checkpoint of this lab has: what the optimizer remembers")
    every = [parameter for group in decay_groups(model, 0.0) for parameter in group["params"]]
    parameters = [(parameter, expected[kind]) for parameter, kind in zip(every, roles(model), strict=True)]
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


def refuse_unsavable(config: Config, device: str) -> None:
    """Refuses an optimizer whose memory no checkpoint may hold: it is told before hours of training, and not by a file
    that cannot be opened.

    Raises:
        LabError: naming what it remembers.
    """
    target = config.optimizer._target_
    parameters = {role(name, parameter): parameter for name, parameter in _Small().named_parameters()}
    found = remembered(config, device)
    for kind, kept in found.items():
        for name, value in kept.items():
            try:
                average(value, inside("what it remembers", name), name, parameters[kind], 1, set())
            except Unfit as error:
                raise LabError(
                    f"optimizer: {target} cannot be saved: {error}; a checkpoint holds numbers, and tensors as large "
                    "as their weight, or as its rows or columns: take save=false, or another optimizer"
                ) from error
    if any(found.values()) and not all(found.values()):
        raise LabError(f"optimizer: {target} cannot be saved: it remembers nothing of some weights; take save=false")


class _Small(nn.Module):
    """A parameter for each role, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(2, 3)
        self.hidden = nn.Linear(3, 2)
        self.other = nn.Conv1d(3, 2, 2, bias=False)
        self.final_norm = nn.LayerNorm(3)
        self.head = nn.Linear(3, 2, bias=False)


def remembered(config: Config, device: str) -> dict[Role, dict[str, Any]]:
    """What the optimizer keeps of a parameter of each role: asked of itself, by a step on small ones.

    Raises:
        LabError: if it cannot take one.
    """
    model = _Small()
    optimizer = wiring.make_optimizer(config, model, device)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    try:
        optimizer.step()
    except Exception as error:  # one that wants sparse gradients, say, or a mistake in a class of the user's own
        raise LabError(f"optimizer: {config.optimizer._target_} takes no step ({user_code.where(error)})") from error
    return {
        role(name, parameter): dict(optimizer.state.get(parameter, {})) for name, parameter in model.named_parameters()
    }


def _alike(value: Any, pattern: Any, parameter: Tensor) -> bool:
    """Is ``value`` to ``parameter`` what ``pattern`` is to the small one?"""
    if not isinstance(pattern, Tensor):
        return type(value) is type(pattern)
    if not isinstance(value, Tensor):
        return False
    if pattern.dim() != parameter.dim():
        return value.shape == (value.shape if pattern.dim() else ())
    # Adafactor keeps a row and a column of a matrix.
    return value.shape == tuple(
        1 if small == 1 else size for small, size in zip(pattern.shape, parameter.shape, strict=True)
    )


def _skips(checkpoint: CheckpointDict) -> bool:
    """Was it written in fp16, where steps whose gradients overflow are left out? Then there may be nothing yet."""
    return "MixedPrecision" in checkpoint
