"""One token's way through the model, in numbers that can be followed with pencil and paper.

``internals`` tells of all tokens at once and in sums. Here a single token is followed through one layer and one head:
its query, the key of each token, their product, the score, the weight, the values and what comes of them; and what the
norms, the feed-forward network and the head make of it. All of it is what the model itself has computed, but for the
products and scores, which attention does not keep: these are made again of its own queries and keys.

    seen = walk(model, torch.tensor(tokenizer.encode("The fox said")), layer=0, head=3, position=2)
    seen.attention.query @ seen.attention.keys[1]    # how well token 2 fits token 1

T tokens in the prompt, C emb_dim, D head_dim. All tensors are float64 and on the CPU.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lab.inspection.internals import NEAR_ZERO, Heard, checked, evaluating, hidden_units, listening, open_blocks
from lab.model import GPTModel, MultiHeadAttention, TransformerBlock
from lab.parts.post_norm import PostNormBlock

FIRST = 8
"""So many of a long vector's numbers are given; the rest is in its figures."""


@dataclass
class Numbers:
    """A vector in figures, and its beginning."""

    size: int
    first: Tensor
    """``(FIRST,)`` or fewer."""
    mean: float
    std: float
    """Standard deviation, dividing by the number of values."""
    norm: float
    """Euclidean length."""


@dataclass
class NormStep:
    """What a norm makes of a vector."""

    before: Numbers
    after: Numbers
    scale: Tensor | None
    """The beginning of the learnt factors; None for a norm that has no ``scale``."""
    shift: Tensor | None
    """The beginning of what is learnt to be added; None without."""
    eps: float | None
    """What is added to the variance, or to the mean square; None for a norm that does not say."""


@dataclass
class Addition:
    """What a sublayer adds to the residual stream."""

    before: float
    """Euclidean length of the stream's vector."""
    added: float
    after: float
    cosine: float
    """Of the angle between what was there and what is added: 1 the same way, 0 across, -1 against it."""


@dataclass
class AttentionSteps:
    """One query, step by step, in one head."""

    key_head: int
    """Whose keys and values the head reads: its own number, unless heads share them."""
    stages: dict[str, Tensor]
    """The query ``(D,)`` as it is made: ``projected``; ``normed`` if the model norms queries; ``turned`` if it tells
    positions by rotation."""
    query: Tensor
    """``(D,)``, as it meets the keys: the last of the stages."""
    keys: Tensor
    """``(T, D)``, as they are met."""
    values: Tensor
    """``(T, D)``."""
    products: Tensor
    """``(T,)``, query times key."""
    scores: Tensor
    """``(T,)``, the products divided by sqrt(D)."""
    bias: Tensor | None
    """``(T,)``, what the scores gain by distance (0 where nothing may be seen); None for a model that has none."""
    visible: Tensor
    """``(T,)`` bool, which tokens may be looked at. Of the others, weights are zero."""
    weights: Tensor
    """``(T,)``, softmax of the visible scores: the model's own."""
    context: Tensor
    """``(D,)``, the sum of weights times values: the head's result, as the model hands it on."""
    output: Numbers
    """What all heads together add to the stream."""


@dataclass
class HiddenUnits:
    """A position in the feed-forward network."""

    n_units: int
    active: int
    """Units with |x| >= NEAR_ZERO."""
    strongest: Tensor
    """``(FIRST,)`` or fewer int64, the units with the largest |x|, largest first."""
    values: Tensor
    """Theirs."""
    output: Numbers
    """What the network adds to the stream."""


@dataclass
class Prediction:
    """From the last vector to the next token."""

    token_ids: Tensor
    """``(top_k,)`` int64, the likeliest first."""
    logits: Tensor
    """``(top_k,)``, theirs."""
    probabilities: Tensor
    """``(top_k,)``: exp(logit - log_sum)."""
    log_sum: float
    """The logarithm of the sum of exp over all logits."""


@dataclass
class Walk:
    """One token's way."""

    position: int
    token_vector: Numbers
    position_vector: Numbers | None
    """None for a model that tells positions in attention, or not at all."""
    embedded: Numbers
    block_before: Numbers
    """The stream as the layer finds it, and as it leaves it."""
    block_after: Numbers
    norm1: NormStep | None
    """None, as all below, for a block of the user's own that has no such part, or does not use it that way."""
    attention: AttentionSteps | None
    attention_adds: Addition | None
    norm2: NormStep | None
    feed_forward: HiddenUnits
    feed_forward_adds: Addition | None
    final_norm: NormStep
    prediction: Prediction


@torch.no_grad()
def walk(
    model: GPTModel, token_ids: Tensor, *, layer: int = 0, head: int = 0, position: int | None = None, top_k: int = 8
) -> Walk:
    """Sends a prompt, ``(T,)`` int64, once through the model, and notes what happens at ``position`` (the last token
    unless said otherwise) in one layer and head. Dropout is off.

    Raises:
        ValueError: if the prompt is none, as ``internals.look``; if there is no such layer, head or position; if the
            model has parts that cannot be looked into.
    """
    ids = checked(model, token_ids.detach())
    position = len(ids) - 1 if position is None else position
    wanted = (("layer", layer, model.config.n_layers), ("head", head, model.config.n_heads))
    for name, value, count in (*wanted, ("position", position, len(ids))):
        if not 0 <= value < count:
            raise ValueError(f"there is no {name} {value}: they go from 0 to {count - 1}")
    block = open_blocks(model)[layer]
    with evaluating(model), listening() as listen:
        heard = _Ears(listen, position)
        token, embedded = heard(model.token_embedding), heard(model.dropout)
        where = heard(model.position_embedding) if model.position_embedding is not None else None
        before, after = heard(block, at_input=True), heard(block)
        parts = _Parts(block, heard)
        last, predicted = _norm(model.final_norm, heard), heard(model.head)
        with _following(block.attention, head, position) as steps:
            model(ids[None])
        return Walk(
            position=position,
            token_vector=_numbers(token()),
            position_vector=_numbers(where()) if where else None,
            embedded=_numbers(embedded()),
            block_before=_numbers(before()),
            block_after=_numbers(after()),
            norm1=parts.norm("norm1"),
            attention=steps(),
            attention_adds=parts.addition("norm1", "attention"),
            norm2=parts.norm("norm2"),
            feed_forward=parts.hidden_units(),
            feed_forward_adds=parts.addition("norm2", "feed_forward"),
            final_norm=last(),
            prediction=_prediction(predicted(), top_k),
        )


class _Ears:
    """Listens to parts of the model, at one position."""

    def __init__(self, listen: Callable[..., Heard], position: int) -> None:
        self.listen = listen
        self.position = position

    def __call__(self, part: nn.Module, at_input: bool = False) -> Callable[[], Tensor]:
        return self.at(self.listen(part, at_input))

    def at(self, heard: Heard) -> Callable[[], Tensor]:
        """What there is to hear afterwards: the last dimension, at the position."""
        return lambda: heard.value[..., self.position, :].flatten().cpu().double()


class _Parts:
    """The parts of one block, as far as it has them."""

    def __init__(self, block: TransformerBlock, heard: _Ears) -> None:
        self._block = block
        self._norms = {n: _norm(p, heard) for n in ("norm1", "norm2") if (p := getattr(block, n, None)) is not None}
        sublayers = {name: getattr(block, name) for name in ("attention", "feed_forward")}
        self._into = {name: heard(part, at_input=True) for name, part in (sublayers | self._modules()).items()}
        self._out = {name: heard(part) for name, part in sublayers.items()}
        self._units = heard.at(hidden_units(block, heard.listen))

    def _modules(self) -> dict[str, nn.Module]:
        return {name: getattr(self._block, name) for name in self._norms}

    def norm(self, name: str) -> NormStep | None:
        """None if the block has none of this name."""
        return self._norms[name]() if name in self._norms else None

    def addition(self, norm: str, sublayer: str) -> Addition | None:
        """None for a block of which nobody knows how it adds."""
        if type(self._block) is TransformerBlock:
            stream = self._into[norm]()  # the norm reads the stream, and the sublayer what comes out of it
        elif type(self._block) is PostNormBlock:
            stream = self._into[sublayer]()  # the sublayer reads the stream itself
        else:
            return None
        added = self._out[sublayer]()
        cosine = torch.cosine_similarity(stream, added, dim=0).item()
        return Addition(stream.norm().item(), added.norm().item(), (stream + added).norm().item(), cosine)

    def hidden_units(self) -> HiddenUnits:
        """Of the feed-forward network."""
        units = self._units()
        strongest = units.abs().topk(min(FIRST, len(units))).indices
        active = int((units.abs() >= NEAR_ZERO).sum())
        return HiddenUnits(len(units), active, strongest, units[strongest], _numbers(self._out["feed_forward"]()))


def _norm(part: nn.Module, heard: _Ears) -> Callable[[], NormStep]:
    into, out = heard(part, at_input=True), heard(part)
    learnt = [getattr(part, name, None) for name in ("scale", "shift")]
    scale, shift = (one.detach()[:FIRST].cpu().double() if isinstance(one, Tensor) else None for one in learnt)
    eps = getattr(part, "eps", None)
    return lambda: NormStep(_numbers(into()), _numbers(out()), scale, shift, eps if isinstance(eps, float) else None)


def _numbers(vector: Tensor) -> Numbers:
    mean, std = vector.mean().item(), vector.std(correction=0).item()
    return Numbers(len(vector), vector[:FIRST], mean, std, vector.norm().item())


def _prediction(logits: Tensor, top_k: int) -> Prediction:
    top = logits.topk(min(top_k, len(logits)))
    log_sum = torch.logsumexp(logits, dim=0)
    return Prediction(top.indices, top.values, (top.values - log_sum).exp(), log_sum.item())


@contextmanager
def _following(
    attention: MultiHeadAttention, head: int, position: int
) -> Iterator[Callable[[], AttentionSteps | None]]:
    """Yields what tells the steps of one query afterwards; None of an attention that does not take these steps."""
    calls: dict[str, tuple[Any, Any]] = {}
    with ExitStack() as undone, listening() as listen:
        for name in ("split_heads", "attend"):
            _overhear(attention, name, calls, undone)
        normed = getattr(attention, "qk_norm", None)
        if isinstance(normed, nn.Module):
            hook = normed.register_forward_hook(lambda _, inputs, made: calls.update(qk_norm=(inputs, made)))
            undone.callback(hook.remove)
        weights = listen(attention.weights_dropout)
        merged, output = listen(attention.project, at_input=True), listen(attention)

        def steps() -> AttentionSteps | None:
            if not (calls.keys() >= {"split_heads", "attend"} and hasattr(weights, "value")):
                return None
            made = {"projected": calls["split_heads"][1], "normed": calls.get("qk_norm", (None, None))[1]}
            stages = {name: _row(found[0], head, position) for name, found in made.items() if found is not None}
            queries, keys, values, visible = calls["attend"][0]
            if hasattr(getattr(attention, "position", None), "rotate"):
                stages["turned"] = _row(queries, head, position)
            size = queries.shape[-1]
            query = _row(queries, head, position)
            products = keys[0, head].cpu().double() @ query  # (T, D) @ (D,) -> (T,)
            bias, seen = _mask(visible, weights.value.shape, head, position)
            group = attention.n_heads // getattr(attention, "n_kv_heads", attention.n_heads)
            return AttentionSteps(
                key_head=head // group,
                stages=stages,
                query=query,
                keys=keys[0, head].cpu().double(),
                values=values[0, head].cpu().double(),
                products=products,
                scores=products / math.sqrt(size),
                bias=bias,
                visible=seen,
                weights=_row(weights.value, head, position),
                context=merged.value[0, position, head * size : (head + 1) * size].cpu().double(),
                output=_numbers(output.value[0, position].cpu().double()),
            )

        yield steps


def _overhear(part: nn.Module, name: str, calls: dict[str, tuple[Any, Any]], undone: ExitStack) -> None:
    """Notes what a method is called with, and what it returns: no hook reaches a method."""
    method = getattr(part, name)

    def noted(*arguments: Any) -> Any:
        made = method(*arguments)
        calls[name] = arguments, made
        return made

    setattr(part, name, noted)  # on the object alone, where it covers the class's own
    undone.callback(delattr, part, name)


def _row(tensor: Tensor, head: int, position: int) -> Tensor:
    """``(1, heads, T, n)`` to ``(n,)``."""
    return tensor[0, head, position].cpu().double()


def _mask(visible: Tensor | None, shape: torch.Size, head: int, position: int) -> tuple[Tensor | None, Tensor]:
    """What is added to a query's scores, ``(T,)``, if anything is, and which of them count, ``(T,)`` bool."""
    if visible is None:
        return None, torch.arange(shape[-1]) <= position
    row = torch.broadcast_to(visible, shape)[0, head, position].cpu()
    if row.dtype == torch.bool:
        return None, row
    return row.double().masked_fill(row == -torch.inf, 0.0), row > -torch.inf
