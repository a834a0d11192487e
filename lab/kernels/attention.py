"""Attention with dropout on a CPU, without the matrix of all weights: memory grows with the context, not its square.

torch's fused kernels never write the seq x seq matrix to memory ("flash" attention, Dao et al. 2022,
https://arxiv.org/abs/2205.14135), but on a CPU they know no dropout. Spelled out, a head's weights, their mask and
their product are kept for the backward pass: at a context of 4,096, 200 MB a head and layer. Here a block of queries is
worked on at a time, and nothing of it is kept. The backward pass computes its weights again, as flash attention does,
and draws its mask again from the same seed. That is a third more arithmetic, paid for by what a block need not look at:
the keys behind its last query, half of them all, and with a sliding window those out of its reach.

Which numbers a mask is made of depends on the shapes, the seed and the blocks alone, and not on the threads.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, library

_BLOCK = 2**19
"""Weights in a block, of all heads together: 2 MB in fp32, which stay in the cache from one operation to the next."""
_FEW = 2**18
"""Weights, of all heads and texts together, that are not worth blocks."""
_FEWEST, _MOST = 32, 128
"""Queries in a block: enough for an efficient product, few enough that half of the keys can be left out."""


def attend_in_blocks(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    visible: Tensor | None,
    drop_rate: float,
    step_by_step: Callable[..., Tensor] | None = None,
) -> Tensor:
    """``lab.model.MultiHeadAttention.attend_step_by_step`` in training, by blocks of queries.

    Takes queries ``(batch, n_heads, seq, head_dim)``, the keys and values of ``known`` positions, and ``visible``:
    which of these each query may look at, bool or what its scores gain, of any shape that broadcasts to ``(batch,
    n_heads, seq, known)``; None: the queries' own, up to each. What is given as ``visible`` is kept as it is, and a
    gradient for it is computed if it wants one. Returns the context vectors, shaped as the queries.

    ``step_by_step`` is taken instead, if it is given, where there are few weights: they can be kept, and calling this
    would take longer than computing them. The seed of the mask comes from torch's default generator.
    """
    if step_by_step is not None and queries.shape[:3].numel() * keys.shape[2] <= _FEW:
        return step_by_step(queries, keys, values, visible)
    if torch.is_autocast_enabled("cpu"):  # which casts what goes into a product; this is one operation to it
        dtype = torch.get_autocast_dtype("cpu")
        queries, keys, values = queries.to(dtype), keys.to(dtype), values.to(dtype)
    found: Tensor = _attend(queries, keys, values, visible, draw_seed(), drop_rate)
    return found


def draw_seed() -> Tensor:
    """The next seed of a mask, from torch's default generator: a scalar, int64."""
    return torch.randint(2**63 - 1, ())


def block_rows(heads: int, seq: int, known: int) -> int:
    """How many queries make a block, where ``heads`` counts those of all texts of the batch."""
    return min(seq, _MOST, max(_FEWEST, _BLOCK // (heads * known)))


def dropout_mask(
    shape: tuple[int, int, int, int], visible: Tensor | None, seed: Tensor, drop_rate: float, dtype: torch.dtype
) -> Tensor:
    """What ``attend_in_blocks`` multiplies the weights by, ``(batch, n_heads, seq, known)``, whole: 0 for those that
    are dropped, 1 / (1 - drop_rate) for the others, 0 where a block has not looked."""
    batch, heads, seq, known = shape
    mask, masks = torch.zeros(batch * heads, seq, known, dtype=dtype), _Masks(seed, drop_rate)
    for rows, seen in _blocks(batch * heads, seq, known, visible):
        mask[:, rows, seen] = masks.draw(mask[:, rows, seen])
    return mask.view(shape) * masks.scale


class _Masks:
    """The masks of the blocks, one after the other: the same ones for the same seed.

    Made of 16 random bits a weight, as ``lab.model.Dropout`` does it and why, but drawn by SFC64, which takes half
    the time of torch's Mersenne Twister.
    """

    def __init__(self, seed: Tensor, drop_rate: float) -> None:
        self._dropped = round(drop_rate * 2**16)
        self.scale = 2**16 / (2**16 - self._dropped)
        self._generator = np.random.SFC64(int(seed))

    def draw(self, like: Tensor) -> Tensor:
        """The next mask, of the shape and type of ``like``: 1 for what is kept, 0 for what is dropped."""
        draws = torch.from_numpy(self._generator.random_raw(-(-like.numel() // 4)).view(np.int16))
        numbers = draws[: like.numel()].view(like.shape)
        return torch.ge(numbers, self._dropped - 2**15, out=torch.empty(like.shape, dtype=like.dtype))


def _blocks(heads: int, seq: int, known: int, visible: Tensor | None) -> Iterator[tuple[slice, slice]]:
    """Each block's queries, and the keys from the first to the last that one of them may look at."""
    rows = block_rows(heads, seq, known)
    for start in range(0, seq, rows):
        block = slice(start, min(start + rows, seq))
        if visible is None:
            yield block, slice(0, block.stop)
            continue
        seen = visible[..., block, :]
        places = (seen if seen.dtype == torch.bool else seen > -torch.inf).flatten(0, -2).any(0).nonzero()
        yield block, slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, known)


class _Weights:
    """The weights of attention, block by block. The heads of all texts are one dimension, N = B H."""

    def __init__(self, queries: Tensor, keys: Tensor, visible: Tensor | None) -> None:
        self.batch, heads, seq, head_dim = queries.shape
        self.scale = 1 / math.sqrt(head_dim)
        # Multiplied into the queries, which are smaller than the scores.
        self.queries, self.keys = (queries * self.scale).flatten(0, 1), keys.flatten(0, 1)  # (N, T, D), (N, K, D)
        self.visible = visible
        known = keys.shape[2]
        self.blocks = list(_blocks(self.batch * heads, seq, known, visible))
        if visible is None:  # what a block has yet to be kept from is a triangle on the diagonal
            rows = block_rows(self.batch * heads, seq, known)
            self.ahead = queries.new_full((rows, rows), -torch.inf).triu_(1)

    def of(self, rows: slice, seen: slice) -> Tensor:
        """``(N, rows, seen)``, each row sums to 1."""
        scores = self.queries[:, rows] @ self.keys[:, seen].transpose(1, 2)
        if self.visible is None:
            size = rows.stop - rows.start
            scores[:, :, rows].add_(self.ahead[:size, :size])
        else:
            visible, by_head = self.visible[..., rows, seen], self.by_head(scores)
            if visible.dtype == torch.bool:
                by_head.masked_fill_(~visible, -torch.inf)
            else:
                by_head.add_(visible)
        return torch.softmax(scores, -1)

    def by_head(self, x: Tensor) -> Tensor:
        """``(N, ...)`` to ``(batch, n_heads, ...)``."""
        return x.view(self.batch, -1, *x.shape[1:])


# Operations of their own to torch, so that compiling need not look inside.
@library.custom_op("lab::attend_in_blocks", mutates_args=())
def _attend(
    queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None, seed: Tensor, drop_rate: float
) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        context = _like_context(queries)  # first, since it stays: no holes in memory behind what does not
        weights, masks = _Weights(queries, keys, visible), _Masks(seed, drop_rate)
        values = (values * masks.scale).flatten(0, 1)
        for rows, seen in weights.blocks:
            kept = weights.of(rows, seen)
            kept.mul_(masks.draw(kept))
            context[:, :, rows] = weights.by_head(kept @ values[:, seen])
        return context


def _like_context(queries: Tensor) -> Tensor:
    """Room for the context vectors, laid out as the next layer reads them, which then needs no copy."""
    batch, heads, seq, head_dim = queries.shape
    return queries.new_empty(batch, seq, heads, head_dim).transpose(1, 2)


@library.custom_op("lab::attend_in_blocks_backward", mutates_args=())
def _backward(
    to_context: Tensor,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    visible: Tensor | None,
    seed: Tensor,
    drop_rate: float,
    bias_learns: bool,
) -> list[Tensor]:
    to_queries, to_keys, to_values = (
        torch.zeros(x.shape, dtype=x.dtype).flatten(0, 1) for x in (queries, keys, values)
    )
    weights, masks = _Weights(queries, keys, visible), _Masks(seed, drop_rate)
    values = (values * masks.scale).flatten(0, 1)
    to_visible = [torch.zeros_like(visible)] if bias_learns and visible is not None else []
    for rows, seen in weights.blocks:
        of_block = weights.of(rows, seen)  # (N, t, k)
        mask = masks.draw(of_block)
        out = to_context[:, :, rows].flatten(0, 1)  # (N, t, D)
        to_weights = (out @ values[:, seen].transpose(1, 2)).mul_(mask)
        kept = mask.mul_(of_block)
        to_values[:, seen].baddbmm_(kept.transpose(1, 2), out, alpha=masks.scale)
        # Through the softmax: weights * (to_weights - the sum over the row of weights * to_weights).
        to_scores = torch._softmax_backward_data(to_weights, of_block, -1, of_block.dtype)
        to_queries[:, rows] = to_scores @ weights.keys[:, seen]
        to_keys[:, seen].baddbmm_(to_scores.transpose(1, 2), weights.queries[:, rows])
        for to_bias in to_visible:
            part = to_bias[..., rows, seen]
            part += weights.by_head(to_scores).sum_to_size(part.shape)
    return [*map(weights.by_head, (to_queries.mul_(weights.scale), to_keys, to_values)), *to_visible]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.drop_rate = inputs
    ctx.save_for_backward(*tensors)


def _gradients(ctx: Any, to_context: Tensor) -> tuple[Tensor | None, ...]:
    found: list[Tensor] = _backward(to_context, *ctx.saved_tensors, ctx.drop_rate, ctx.needs_input_grad[3])
    return (*found, *[None] * (6 - len(found)))


_attend.register_fake(lambda queries, *_: _like_context(queries))
_attend.register_autograd(_gradients, setup_context=_keep)


@_backward.register_fake
def _like_inputs(
    to_context: Tensor, queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None, *rest: Any
) -> list[Tensor]:
    found = [queries.new_empty(x.shape) for x in (queries, keys, values)]
    return [*found, torch.empty_like(visible)] if visible is not None and rest[-1] else found
