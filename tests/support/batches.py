"""Tokens that can be told apart, and what batches have of them."""

import numpy as np
import torch
from torch import Tensor


def numbered(n: int) -> np.ndarray:
    """Tokens that are all different: token i is i."""
    return np.arange(n, dtype=np.uint16)


def values(batches: list[tuple[Tensor, Tensor]]) -> set[int]:
    return {int(token) for inputs, targets in batches for token in torch.cat([inputs.flatten(), targets.flatten()])}
