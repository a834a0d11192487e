"""What a model writes with and without a head or a layer, side by side."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from lab.dashboard.schemas import Model, Number
from lab.dashboard.worker.inspection import PromptToken, Seen
from lab.inference.generation import EndEvent, SamplingOptions, TokenEvent, stream_events
from lab.inspection.ablation import loss_on, switched_off
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer, token_text

MOST_TOKENS = 200
"""Of each of the two texts."""


class Continuation(Model):
    """How the prompt goes on."""

    tokens: list[PromptToken]
    text: str
    loss: Number | None = Field(description="Of the prompt, in nats a token; none for a prompt of one token.")


class WithAndWithout(Seen):
    """The same prompt, continued by the whole model and by one that lacks a part, from the same random numbers."""

    layer: int
    head: int | None = Field(description="None: the whole layer is switched off.")
    whole: Continuation
    without: Continuation
    first_difference: int | None = Field(description="The place of the first token that differs; none if none does.")


@dataclass(frozen=True)
class AblationQuestion:
    """What to switch off, and how to go on."""

    prompt: str
    most_tokens: int
    layer: int
    head: int | None
    options: SamplingOptions


def compare(
    model: GPTModel, tokenizer: TextTokenizer, among: Tensor | None, question: AblationQuestion
) -> dict[str, Any]:
    """The answer, as the plain values of a ``WithAndWithout``; ``among`` as in ``stream_events``.

    Raises:
        ValueError: if there is no such layer or head, or the weights are damaged.
    """
    everything = tokenizer.encode(question.prompt) or [tokenizer.endoftext]
    ids = everything[-min(question.most_tokens, model.config.context_length) :]
    sides = []
    for context in (nullcontext(), switched_off(model, question.layer, question.head)):
        with context:
            sides.append(_continued(model, tokenizer, among, ids, question.options))
    one, other = ([token["token_id"] for token in side["tokens"]] for side in sides)
    differing = [at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]]
    shorter = min(len(one), len(other)) if len(one) != len(other) else None  # one of them has ended before
    return {
        "tokens": [{"token_id": token, "text": token_text(tokenizer, token)} for token in ids],
        "cropped": len(everything) - len(ids),
        "layer": question.layer,
        "head": question.head,
        "whole": sides[0],
        "without": sides[1],
        "first_difference": differing[0] if differing else shorter,
    }


def _continued(
    model: GPTModel, tokenizer: TextTokenizer, among: Tensor | None, ids: list[int], options: SamplingOptions
) -> dict[str, Any]:
    told: dict[str, Any] = {"tokens": [], "text": ""}
    for event in stream_events(model, tokenizer, ids, options, among):
        if isinstance(event, TokenEvent):
            told["tokens"].append({"token_id": event.token_id, "text": event.token})
        elif isinstance(event, EndEvent):
            told["text"] = event.text
    return told | {"loss": loss_on(model, torch.tensor(ids, device=model.token_embedding.weight.device))}
