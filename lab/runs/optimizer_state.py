"""What an optimizer remembers, as a checkpoint may hold it: each tensor as large as a kernel will take it to be."""

from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from lab.files.validation import Unfit, inside, nothing_or, number, said, table
from lab.optim.parameter_groups import decay_groups, roles

FLOATS = (torch.float32, torch.bfloat16)
"""Number formats of weights: those of ``trainer.precision``."""

SCALARS = ("step", "eta", "mu", "mu_product")
"""What torch's optimizers keep of a weight as a single number; everything else is as large as the weight."""


class OptimizerState(TypedDict):
    """What the optimizer remembers of the gradients."""

    state: dict[int, dict[str, Any]]
    """By parameter, in the order of the groups: tensors as large as it, single numbers."""
    param_groups: list[dict[str, Any]]
    """Two, with and without weight decay: ``params``, the numbers of their parameters."""


def dense(value: Any, where: str, shape: tuple[int, ...] | None = None) -> Tensor:
    """A tensor that is nothing but a block of numbers in memory; of this ``shape``, if given."""
    if not isinstance(value, Tensor):
        raise Unfit(f"{where} is {said(value)}, and must be a tensor")
    if type(value) is not Tensor or value.layout is not torch.strided or value.device.type != "cpu":
        raise Unfit(f"{where} is a tensor of another kind than a plain block of numbers")
    if value.is_quantized or value.is_complex() or value.is_neg() or not value.is_contiguous():
        raise Unfit(f"{where} is a tensor of another kind than a plain block of numbers")
    if shape is not None and value.shape != shape:
        raise Unfit(f"{where} has the shape {tuple(value.shape)}, and must have {shape}")
    return value.detach()  # without the hooks that a file may have given it


def check_optimizer(found: OptimizerState, model: nn.Module, step: int) -> OptimizerState:
    """What the optimizer keeps, each tensor beside the parameter of ``model`` that it is of. Of the groups only which
    parameters are in them: their learning rates and the like are those of the options.

    Raises:
        Unfit: naming the first part that is not what it must be after ``step`` steps.
    """
    groups, kinds = decay_groups(model, 0.0), roles(model)
    parameters = [parameter for group in groups for parameter in group["params"]]
    numbers = iter(range(len(parameters)))
    indices = [[next(numbers) for _ in group["params"]] for group in groups]
    for place, group in enumerate(found["param_groups"]):
        told = group.get("params")
        if told != indices[place] or any(type(index) is not int for index in told):
            raise Unfit(f"optimizer_states[0].param_groups[{place}].params are not the parameters of its model")
    where = "optimizer_states[0].state"
    state = found["state"]
    if not isinstance(state, dict) or not all(type(key) is int for key in state):
        raise Unfit(f"{where} is {said(state)}, and must be a dict with numbers of parameters")
    if state and sorted(state) != list(range(len(parameters))):
        raise Unfit(f"{where} has {len(state):,} of {len(parameters):,} parameters")
    memory: set[int] = set()
    kept = {
        key: {
            name: average(v, inside(f"{where}[{key}]", name), name, parameters[key], step, memory)
            for name, v in row.items()
        }
        for key, row in ((key, table(lambda value, _: value)(state[key], f"{where}[{key}]")) for key in sorted(state))
    }
    # Muon and Adafactor remember other things of a matrix than of a vector, and nobody counts steps by parameter.
    alike: dict[str, set[tuple[str, ...]]] = {}
    for key, row in kept.items():
        alike.setdefault(kinds[key], set()).add(tuple(row))
    counted = {float(row["step"] or 0) for row in kept.values() if "step" in row}
    if len(counted) > 1 or any(len(names) > 1 for names in alike.values()):
        raise Unfit(f"{where} is not the same of every parameter")
    return {"state": kept, "param_groups": [{"params": told} for told in indices]}


def average(value: Any, where: str, name: str, parameter: Tensor, step: int, memory: set[int]) -> Any:
    """One thing that an optimizer remembers of a parameter, as a checkpoint may hold it.

    Raises:
        Unfit: if it may not.
    """
    if not isinstance(value, Tensor):
        return nothing_or(number())(value, where)
    tensor = dense(value, where, () if name in SCALARS else None)
    if tensor.dtype not in FLOATS:
        raise Unfit(f"{where} is in the number format {tensor.dtype}")
    if name == "step" and not (float(tensor).is_integer() and 0 <= float(tensor) <= step):
        raise Unfit(f"{where} is {float(tensor):g}, and the run is at step {step:,}")
    # Adafactor keeps a row and a column instead of a whole matrix; the others' tensors are as large as the weight.
    sizes = zip(tensor.shape, parameter.shape, strict=False)
    if name not in SCALARS and (tensor.dim() != parameter.dim() or not all(one in (1, size) for one, size in sizes)):
        raise Unfit(f"{where} has the shape {tuple(tensor.shape)}, and its parameter {tuple(parameter.shape)}")
    if tensor.numel() and tensor.data_ptr() in memory:
        raise Unfit(f"{where} shares its memory with another tensor")
    memory.add(tensor.data_ptr())
    return tensor
