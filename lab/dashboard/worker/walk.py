"""One token's way through a model, step by step: in terms of ``lab.inspection.walk``, as plain values."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field

from lab.dashboard.schemas import Model, Number
from lab.dashboard.worker.inspection import PromptToken, Seen
from lab.inspection import walk as inner
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer, token_text

MOST_NUMBERS = 100_000
"""Of the keys and values in one answer."""


class Numbers(Model):
    """A vector in figures, and its beginning."""

    size: int
    first: list[Number]
    mean: Number
    std: Number
    norm: Number = Field(description="Its length: the root of the sum of its squares.")


class NormStep(Model):
    """What a norm makes of a vector."""

    before: Numbers
    after: Numbers
    scale: list[Number] | None = Field(description="The first of the learnt factors.")
    shift: list[Number] | None = Field(description="The first of what is added.")
    eps: float | None


class Addition(Model):
    """What is added to the residual stream."""

    before: Number = Field(description="Length of the stream's vector.")
    added: Number
    after: Number
    cosine: Number = Field(description="Of the angle between what was there and what is added.")


class QueryStage(Model):
    """The query on its way to the keys."""

    name: str = Field(description="projected, normed or turned.")
    vector: list[Number]


class AttentionSteps(Model):
    """One query in one head. Lists of the prompt's length say something of each token."""

    key_head: int
    stages: list[QueryStage]
    query: list[Number]
    keys: list[list[Number]]
    values: list[list[Number]]
    products: list[Number] = Field(description="Query times key.")
    scores: list[Number] = Field(description="The products over the root of the head's size.")
    bias: list[Number] | None = Field(description="What the scores gain by distance.")
    visible: list[bool]
    weights: list[Number]
    context: list[Number] = Field(description="The sum of weights times values.")
    output: Numbers = Field(description="What all heads together add.")


class HiddenUnits(Model):
    """A position in the feed-forward network."""

    n_units: int
    active: int = Field(description="Units whose absolute value is at least 0.01.")
    strongest: list[int]
    values: list[Number]
    output: Numbers


class ScoredCandidate(Model):
    """A token that could come next, and how its probability comes about."""

    token_id: int
    text: str
    logit: Number
    probability: Number = Field(description="exp(logit - log_sum).")


class Walk(Seen):
    """One token's way through one layer and one head."""

    layer: int
    head: int
    position: int
    token_vector: Numbers
    position_vector: Numbers | None
    embedded: Numbers
    block_before: Numbers
    block_after: Numbers
    norm1: NormStep | None
    attention: AttentionSteps | None
    attention_adds: Addition | None
    norm2: NormStep | None
    feed_forward: HiddenUnits
    feed_forward_adds: Addition | None
    final_norm: NormStep
    candidates: list[ScoredCandidate]
    log_sum: Number = Field(description="The logarithm of the sum of exp over all logits.")
    next: PromptToken | None = Field(description="The token that really follows in the prompt.")


@dataclass(frozen=True)
class WalkQuestion:
    """Which token to follow where."""

    prompt: str
    most_tokens: int
    layer: int
    head: int
    position: int | None
    """None, or beyond the end: the last token."""


def follow(model: GPTModel, tokenizer: TextTokenizer, question: WalkQuestion) -> dict[str, Any]:
    """The answer to a question, as the plain values of a ``Walk``.

    Raises:
        ValueError: if there is no such layer or head, or the answer would be too large.
    """
    everything = tokenizer.encode(question.prompt) or [tokenizer.endoftext]
    ids = everything[-min(question.most_tokens, model.config.context_length) :]
    last = len(ids) - 1
    position = last if question.position is None else min(question.position, last)
    size = getattr(model.config, "head_size", model.config.emb_dim // model.config.n_heads)
    if 2 * len(ids) * size > MOST_NUMBERS:
        raise ValueError(
            f"the keys and values of {len(ids)} tokens are {2 * len(ids) * size:,} numbers, and {MOST_NUMBERS:,} are "
            "the most: take a shorter prompt"
        )
    token_ids = torch.tensor(ids, device=model.token_embedding.weight.device)
    seen = inner.walk(model, token_ids, layer=question.layer, head=question.head, position=position)
    told = {name: _plain(value) for name, value in vars(seen).items() if name != "prediction"}
    if told["attention"] is not None:
        stages = told["attention"]["stages"].items()
        told["attention"]["stages"] = [{"name": name, "vector": vector} for name, vector in stages]
    tokens = [_token(tokenizer, token) for token in ids]
    found = seen.prediction
    rows = zip(found.token_ids.tolist(), _plain(found.logits), _plain(found.probabilities), strict=True)
    return told | {
        "tokens": tokens,
        "cropped": len(everything) - len(ids),
        "layer": question.layer,
        "head": question.head,
        "candidates": [_token(tokenizer, i) | {"logit": logit, "probability": p} for i, logit, p in rows],
        "log_sum": _plain(found.log_sum),
        "next": tokens[position + 1] if position < last else None,
    }


def _token(tokenizer: TextTokenizer, token: int) -> dict[str, Any]:
    return {"token_id": token, "text": token_text(tokenizer, token)}


def _plain(value: Any) -> Any:
    """Dataclasses and tensors as dicts and lists, numbers to 7 significant digits, which is what float32 holds."""
    if isinstance(value, torch.Tensor):
        return _plain(value.tolist())
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return float(f"{value:.7g}") if isinstance(value, float) else value
