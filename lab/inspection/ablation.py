"""A model with a part of it switched off: what it writes then, and how much worse it predicts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lab.inspection.internals import checked, evaluating, mean_loss, open_blocks
from lab.model import GPTModel


@contextmanager
def switched_off(model: GPTModel, layer: int, head: int | None = None) -> Iterator[None]:
    """Until the end of the block, one head says nothing; without a ``head``, the whole layer passes the stream on as it
    came. A head's share of what the output projection reads is zero then, as in ``internals.ablate_heads``.

    Raises:
        ValueError: if there is no such layer or head, or the model has parts that cannot be looked into.
    """
    for name, value, count in (("layer", layer, model.config.n_layers), ("head", head or 0, model.config.n_heads)):
        if not 0 <= value < count:
            raise ValueError(f"there is no {name} {value}: they go from 0 to {count - 1}")
    block = open_blocks(model)[layer]
    if head is None:
        hook = block.register_forward_hook(lambda _, inputs, output: inputs[0])
    else:
        size = block.attention.head_dim
        share = slice(head * size, (head + 1) * size)

        def silence(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Any, ...]:
            context = inputs[0].clone()
            context[..., share] = 0
            return (context, *inputs[1:])

        hook = block.attention.project.register_forward_pre_hook(silence)
    try:
        yield
    finally:
        hook.remove()


@torch.no_grad()
def loss_on(model: GPTModel, token_ids: Tensor) -> float | None:
    """Mean loss of a prompt, ``(T,)`` int64, in nats a token, without dropout; None for a single token.

    Raises:
        ValueError: as ``internals.look``.
    """
    ids = checked(model, token_ids)
    if len(ids) == 1:
        return None
    with evaluating(model):
        x = model.embed(ids[None])  # (1, T, C)
        for block in model.blocks:
            x = block(x)
        return mean_loss(model, x, ids).item()
