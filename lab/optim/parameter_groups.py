"""Which weights to decay, and which of them learn at which rate."""

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer

Role = Literal["hidden", "other", "embedding", "head", "vector", "output_norm"]
"""What a parameter is in the model.

hidden: the matrices inside the blocks. other: tensors of three or more dimensions there, of a part of one's own.
embedding: the tables of tokens (also where they are the head, too) and of positions. head: a head of its own.
vector: biases, the scales of norms. output_norm: those of the norm before the head.
"""


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two parameter groups: matrices with weight decay, vectors (biases, the scales of norms) without.

    Decay pulls weights towards zero, which keeps a matrix from growing without use. A LayerNorm's scale lives around
    1 and a bias wherever it is needed: to pull these to zero only distorts them. A tied weight appears once.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def role(name: str, parameter: Tensor) -> Role:
    """What the parameter of that name in a ``GPTModel`` is."""
    part = name.partition(".")[0]
    if parameter.dim() < 2:
        return "output_norm" if part == "final_norm" else "vector"
    if part in ("token_embedding", "position_embedding"):
        return "embedding"
    if part == "head":
        return "head"
    return "hidden" if parameter.dim() == 2 else "other"


def roles(model: nn.Module) -> list[Role]:
    """Of each parameter, in the order of ``decay_groups``."""
    of = {id(parameter): role(name, parameter) for name, parameter in model.named_parameters()}
    return [of[id(parameter)] for group in decay_groups(model, 0.0) for parameter in group["params"]]


def role_groups(
    model: nn.Module, weight_decay: float, rates: Mapping[Role, float], decays: Mapping[Role, float] | None = None
) -> list[dict[str, Any]]:
    """A parameter group for each role that the model has parameters of, ``hidden`` first.

    Args:
        model: its parameters are told apart by their names.
        weight_decay: of all that decays, see ``decay_groups``.
        rates: the learning rate of each role.
        decays: another weight decay than ``weight_decay`` for some of them.
    """
    found: dict[Role, list[nn.Parameter]] = {kind: [] for kind in rates}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            found[role(name, parameter)].append(parameter)
    still = {"vector": 0.0, "output_norm": 0.0}
    return [
        {
            "params": parameters,
            "lr": rates[kind],
            "weight_decay": still.get(kind, (decays or {}).get(kind, weight_decay)),
            "role": kind,
        }
        for kind, parameters in found.items()
        if parameters
    ]


def keep_order(optimizer: Optimizer, model: nn.Module) -> None:
    """Lets the optimizer's state dict number the parameters as ``decay_groups`` does, in two groups, whatever its own
    groups are: so that a checkpoint does not depend on which rates there were, and goes on with others.

    The state that is loaded is numbered so, too; its ``param_groups`` must be those of the optimizer itself.
    """
    mine = {
        id(parameter): number
        for number, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"])
    }
    groups = [[mine[id(p)] for p in group["params"]] for group in decay_groups(model, 0.0)]
    order = [number for group in groups for number in group]
    if order == list(range(len(order))) and len(optimizer.param_groups) == len(groups):
        return
    border = len(groups[0])

    def saved(_: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
        kept = state["state"]
        return {
            "state": {place: kept[number] for place, number in enumerate(order) if number in kept},
            "param_groups": [{"params": [*range(border)]}, {"params": [*range(border, len(order))]}],
        }

    def loaded(_: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
        kept = state["state"]
        return {**state, "state": {number: kept[place] for place, number in enumerate(order) if place in kept}}

    optimizer.register_state_dict_post_hook(saved)
    optimizer.register_load_state_dict_pre_hook(loaded)
