"""Weights of linear layers in 8 bits, for generating on a CPU: a quarter of fp32 to read for each token.

A row of a matrix is kept as whole numbers from -127 to 127 and one factor that they are multiplied by (Dettmers et al.
2022, https://arxiv.org/abs/2208.07339, section 2.1, a row at a time and without outliers). What is multiplied with them
stays in bf16, and torch turns the numbers back while they are in a register: no matrix is ever written out. Norms and
embeddings stay in bf16.

Only for reading: whole numbers have no gradient.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lab.inference.weight_layout import replace_linear

_LARGEST = 127
_MULTIPLE = 64
"""Of what a row must have a whole number of: torch's product reads beyond the end of any other."""


class Int8Linear(nn.Module):
    """What ``linear`` computes, from ``(..., in_features)`` to ``(..., out_features)`` in bf16, with weights rounded to
    8 bits.

    Raises:
        RuntimeError: if torch cannot multiply such matrices.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach().float()
        # Rounded first: the numbers then make up for what the factor has lost. Never 0, to divide by.
        scales = (weight.abs().amax(1) / _LARGEST).clamp(min=torch.finfo(torch.bfloat16).tiny).to(torch.bfloat16)
        numbers = (weight / scales.float().unsqueeze(1)).round_().clamp_(-_LARGEST, _LARGEST).to(torch.int8)
        self.padding = -self.in_features % _MULTIPLE
        self.register_buffer("numbers", F.pad(numbers, (0, self.padding)).contiguous())  # (out, in + padding)
        self.register_buffer("scales", scales)  # (out_features,)
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().to(torch.bfloat16), False)
        self.numbers: Tensor
        self.scales: Tensor
        self(torch.zeros(1, self.in_features, dtype=torch.bfloat16))

    @property
    def weight(self) -> Tensor:
        """The matrix written out, ``(out_features, in_features)`` in bf16, for whoever wants to look at it."""
        return self.numbers[:, : self.in_features].to(torch.bfloat16) * self.scales.unsqueeze(1)

    def forward(self, x: Tensor) -> Tensor:
        rows = F.pad(x.reshape(-1, self.in_features).to(torch.bfloat16), (0, self.padding)).contiguous()
        product = torch._weight_int8pack_mm(rows, self.numbers, self.scales)
        found = product if self.bias is None else product + self.bias
        return found.view(*x.shape[:-1], self.out_features)


def to_int8(model: nn.Module) -> None:
    """Puts an ``Int8Linear`` in the place of every linear layer of ``model``, and the rest of it into bf16.

    Raises:
        RuntimeError: if this torch has no such product, or none for the device that ``model`` is on.
    """
    parameter = next(model.parameters())
    if parameter.device.type != "cpu" or not hasattr(torch, "_weight_int8pack_mm"):
        raise RuntimeError("torch multiplies 8-bit weights on a CPU only, from version 2.3 on")
    replace_linear(model, Int8Linear)
    model.to(torch.bfloat16)
