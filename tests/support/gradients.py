"""Two ways to compute one thing, by their gradients."""

from collections.abc import Sequence

import torch
from torch import Tensor


def assert_same_gradients(
    ours: Tensor, theirs: Tensor, leaves: Sequence[Tensor], direction: Tensor | None = None, *, rtol: float, atol: float
) -> None:
    """Those of all ``leaves``; of a tensor that is no scalar, along ``direction``."""
    found, expected = (torch.autograd.grad(output, leaves, direction) for output in (ours, theirs))
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=rtol, atol=atol)
