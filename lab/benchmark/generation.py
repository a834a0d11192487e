"""A text written on, token by token: with a cache where the side has one, from fresh weights."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lab.benchmark.child import Orders
from lab.benchmark.models import rival
from lab.config.schema import Config
from lab.system.malloc import keep_freed_memory

PROMPT = 8
"""Tokens that the text begins with."""


def n_tokens(config: Config) -> int:
    """How many tokens are added: 200, or what fits into the context."""
    return max(1, min(200, config.model.context_length - PROMPT))


def serve(config: Config, job: dict[str, Any], orders: Orders) -> None:
    """Sets the side up and writes the texts that it is told to."""
    generator = torch.Generator().manual_seed(config.seed)
    prompt = torch.randint(0, config.model.vocab_size, (1, PROMPT), generator=generator)
    number, weights = n_tokens(config), job["weights"]
    if job["side"] in ("lab", "memory"):
        from lab.inference.sampling import Sampling, generate
        from lab.inference.weight_format import prepare
        from lab.training.wiring import make_model

        model = make_model(config).eval()
        facts = {"parameters": model.num_parameters()}
        prepare(model, torch.device("cpu"), weights)
        if job["side"] == "memory":
            orders.serve(_reader(bytes_of_a_token(model), number), bytes=number * bytes_of_a_token(model))
        else:
            orders.serve(lambda: generate(model, prompt.tolist(), number, Sampling(0.8, 50), seed=config.seed), **facts)
        return
    theirs = rival(job["side"], config, job.get("nanogpt"))
    theirs.model.eval()
    if weights == "bf16":
        theirs.model.to(torch.bfloat16)
    made = theirs.continued(theirs.model, prompt, number)
    if made.shape[1] != PROMPT + number:
        raise ValueError(f"it has written {made.shape[1] - PROMPT} tokens in place of {number}")
    orders.serve(
        lambda: theirs.continued(theirs.model, prompt, number),
        parameters=sum(p.numel() for p in theirs.model.parameters()),
        differs=theirs.differs,
    )


def bytes_of_a_token(model: nn.Module) -> int:
    """What has to be read for one token more: every number of every linear layer."""
    layers = [module for module in model.modules() if hasattr(module, "in_features")]
    tensors = [tensor for layer in layers for tensor in (*layer.parameters(), *layer.buffers())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _reader(size: int, times: int) -> Callable[[], None]:
    """Reads ``size`` bytes of memory, ``times`` times over, as fast as all threads can: a sum of whole numbers, which
    takes no time beside the reading."""
    keep_freed_memory()
    numbers = torch.ones(-(-size // 8), dtype=torch.int64)

    def read() -> None:
        for _ in range(times):
            numbers.sum()

    return read
