"""Weights of linear layers packed for one token at a time, so that all cores of a CPU read them together.

A text that grows by one token needs every matrix for a single vector, and the time is that of reading the matrix.
torch's usual product does that on one core, or nearly so; oneDNN's, which ``torch.compile`` takes for models that no
longer learn, shares it out, once the matrix has been brought into the blocks in which its kernel reads it. In bf16
there is a second reason: processors multiply its numbers in pairs, and a matrix that is not packed has to be paired
anew for each token.

What it costs is memory: a head that is tied to the embedding gets a copy of its own, for the embedding is looked up
row by row.

Only for reading: a packed matrix has no gradient.
"""

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """What ``linear`` computes, ``(..., in_features)`` to ``(..., out_features)``, its sums rounded in another order.

    Raises:
        RuntimeError: if torch cannot pack such matrices on this processor.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), 1)  # for products with one row
        self.register_buffer("packed", packed, persistent=False)
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach(), requires_grad=False)
        self.packed: Tensor

    @property
    def weight(self) -> Tensor:
        """The matrix written out, ``(out_features, in_features)``, for whoever wants to look at it."""
        return self.packed.to_dense()

    def forward(self, x: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")
        return product


def pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Is a packed matrix of this format read faster than one that is not? On one core, fp32 is not (measured: 0.7 of
    the speed of ``weight_layout.by_columns``; on two 1.3 times as fast, for the matrices of GPT-2)."""
    return device.type == "cpu" and (dtype != torch.float32 or torch.get_num_threads() > 1) and _can(dtype)


def _can(dtype: torch.dtype) -> bool:
    """Has this torch such products, and for this processor? Tried, as both are told by nothing else."""
    try:
        PackedLinear(nn.Linear(64, 64, dtype=dtype))(torch.zeros(1, 64, dtype=dtype))
    except (RuntimeError, AttributeError):  # not for this processor, this format, or this build of torch
        return False
    return True
