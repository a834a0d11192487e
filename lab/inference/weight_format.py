"""The number formats that a model can generate in, and a model made ready for one."""

from typing import Literal

import torch

from lab.inference import packed
from lab.inference.int8 import to_int8
from lab.inference.weight_layout import by_columns, replace_linear
from lab.model import GPTModel

Weights = Literal["fp32", "bf16", "int8"]


def prepare(model: GPTModel, device: torch.device, weights: Weights = "fp32") -> None:
    """Moves ``model`` to ``device``, for reading token by token, with its weights in a number format.

    Raises:
        RuntimeError: if torch cannot compute in it there (``int8``: see ``lab.inference.int8.to_int8``).
    """
    model.to(device, torch.bfloat16 if weights == "bf16" else None)
    if weights == "int8":
        to_int8(model)
    elif packed.pays(device, model.token_embedding.weight.dtype):
        replace_linear(model, packed.PackedLinear)
    else:
        by_columns(model)
