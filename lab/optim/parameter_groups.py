"""Which weights to decay."""

from typing import Any

from torch import nn


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
