"""A text written on, token by token: with a cache where the side has one, from fresh weights."""

from typing import Any

import torch

from lab.benchmark.child import Orders
from lab.benchmark.models import rival
from lab.config.schema import Config

PROMPT = 8
"""Tokens that the text begins with."""


def n_tokens(config: Config) -> int:
    """How many tokens are added: 200, or what fits into the context."""
    return max(1, min(200, config.model.context_length - PROMPT))


def serve(config: Config, job: dict[str, Any], orders: Orders) -> None:
    """Sets the side up and writes the texts that it is told to."""
    generator = torch.Generator().manual_seed(config.seed)
    prompt = torch.randint(0, config.model.vocab_size, (1, PROMPT), generator=generator)
    number = n_tokens(config)
    if job["side"] == "lab":
        from lab.inference.sampling import Sampling, generate
        from lab.inference.weight_layout import by_columns
        from lab.training.wiring import make_model

        model = make_model(config).eval()
        by_columns(model)  # as lab.generate does
        orders.serve(
            lambda: generate(model, prompt.tolist(), number, Sampling(0.8, 50), seed=config.seed),
            parameters=model.num_parameters(),
        )
        return
    theirs = rival(job["side"], config, job.get("nanogpt"))
    theirs.model.eval()
    made = theirs.continued(theirs.model, prompt, number)
    if made.shape[1] != PROMPT + number:
        raise ValueError(f"it has written {made.shape[1] - PROMPT} tokens in place of {number}")
    orders.serve(
        lambda: theirs.continued(theirs.model, prompt, number),
        parameters=sum(p.numel() for p in theirs.model.parameters()),
        differs=theirs.differs,
    )
