"""From logits to text: how the next token is chosen."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from lab.model import GPTModel


def next_token_probabilities(logits: Tensor, temperature: float, top_k: int | None) -> Tensor:
    """The distribution that the next token is drawn from: ``(batch, vocab_size)`` to the same shape.

    Dividing by a ``temperature`` below 1 stretches the differences between the logits and makes the likely tokens
    likelier; above 1 it evens them out; 0 stands for the limit, all probability on the likeliest token. ``top_k``
    keeps the k likeliest: each of the tens of thousands of others is next to impossible, but together they are not,
    and a single one of them derails a text (Fan et al. 2018, https://arxiv.org/abs/1805.04833).
    """
    if temperature == 0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    if top_k is not None:
        weakest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]  # (B, 1)
        logits = logits.masked_fill(logits < weakest, -torch.inf)
    logits = logits - logits.amax(-1, keepdim=True)  # the same distribution, and no overflow however small the divisor
    return torch.softmax(logits / temperature, dim=-1)


@torch.inference_mode()
def stream(
    model: GPTModel,
    token_ids: Tensor,
    max_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """The tokens that continue ``token_ids``, ``(batch, seq)`` int64, one by one as ``(batch, 1)``.

    Once the text is longer than the context, the model sees its last ``context_length`` tokens. The mode of the model
    (training or evaluation) is left as it was found.
    """
    was_training = model.training
    model.eval()
    try:
        for _ in range(max_tokens):
            visible = token_ids[:, -model.config.context_length :]  # (B, T)
            # Of all positions only the last one's prediction is new: the head need not look at the others.
            logits = model.head(model.hidden(visible)[:, -1])  # (B, C) -> (B, V)
            probabilities = next_token_probabilities(logits.float().cpu(), temperature, top_k)
            drawn = torch.multinomial(probabilities, 1, generator=generator).to(token_ids.device)  # (B, 1)
            token_ids = torch.cat([token_ids, drawn], dim=1)
            yield drawn
    finally:
        model.train(was_training)


def generate(model: GPTModel, token_ids: Tensor, max_tokens: int, **options: Any) -> Tensor:
    """``token_ids`` and its continuation, ``(batch, seq + max_tokens)``; the options are those of ``stream``."""
    return torch.cat([token_ids, *stream(model, token_ids, max_tokens, **options)], dim=1)
