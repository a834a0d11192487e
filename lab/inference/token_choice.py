"""What a model thought of a token when it was chosen."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lab.tokenizers.contract import TextTokenizer, token_text


@dataclass(frozen=True)
class Alternative:
    """A token that could have stood there."""

    token_id: int
    text: str
    """Its own text; bytes that are no whole character show as U+FFFD."""
    probability: float
    """Under the model's own distribution."""


@dataclass(frozen=True)
class TokenChoice:
    """A token among its alternatives, under the model's own distribution (temperature 1, nothing left out)."""

    token_id: int
    log_prob: float
    """Natural logarithm of its probability."""
    probability: float
    rank: int
    """How many tokens were likelier: 0 for the likeliest."""
    entropy: float
    """How undecided the model was, in nats: 0 if it was sure, ln(vocab_size) if it had no idea."""
    alternatives: list[Alternative]
    """The likeliest tokens that could be drawn, the likeliest first; the chosen one is among them if it is one."""


def explain_choice(
    logits: Tensor, token_id: int, n_alternatives: int, tokenizer: TextTokenizer, among: Tensor | None = None
) -> TokenChoice:
    """What ``logits``, ``(vocab_size,)`` on the CPU, say of ``token_id``, and of the ``n_alternatives`` likeliest
    tokens: of those that could be drawn, where ``among``, ``(vocab_size,)`` bool, is true."""
    log_probs = torch.log_softmax(logits.double(), dim=-1)
    probabilities = log_probs.exp()
    drawable = probabilities if among is None else probabilities.masked_fill(~among, -1.0)
    n_drawable = len(probabilities) if among is None else int(among.sum())
    best = drawable.topk(min(n_alternatives, n_drawable))
    return TokenChoice(
        token_id=token_id,
        log_prob=log_probs[token_id].item(),
        probability=probabilities[token_id].item(),
        rank=int((log_probs > log_probs[token_id]).sum()),
        entropy=max(0.0, -torch.special.xlogy(probabilities, probabilities).sum().item()),
        alternatives=[
            Alternative(other, token_text(tokenizer, other), probability)
            for other, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ],
    )
