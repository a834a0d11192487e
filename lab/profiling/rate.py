"""How fast a machine multiplies, from a second of matrix products: for guesses of how long a training takes."""

import time
from dataclasses import dataclass

import torch

from lab.model import GPTConfig
from lab.parts.cost import parameters
from lab.profiling.products import Product, Runner, products_of

_SIZES = (64, 256, 1024)
"""Rows and columns of what is multiplied: between them lies what small and large models are made of."""
_SHARE = 0.75
"""Of a step that its products take; of the steps that the README tells of, 0.72 to 0.84."""
_STEP = 0.008
"""Seconds that a step takes whatever it multiplies: the Trainer's hooks, the optimizer, the next batch."""
_UPDATE = 120.0
"""Floating-point operations of a product that take as long as clipping and moving a single weight, whose gradient and
moments have to be fetched from memory: with a large vocabulary and a small batch, that is a third of a step."""


@dataclass(frozen=True)
class Rate:
    """A product of F floating-point operations takes ``overhead + F / flops_per_second`` seconds."""

    overhead: float
    flops_per_second: float


def measure(dtype: torch.dtype, device: torch.device, seconds: float = 1.0) -> Rate:
    """Multiplies square matrices of three sizes for about so many seconds."""
    found = []
    for size in _SIZES:
        product = Product("", 1, size, size, size)
        runner = Runner([product], dtype, device)
        runner.seconds(tries=1)  # asks for memory, wakes threads
        times: list[float] = []
        end = time.perf_counter() + seconds / len(_SIZES)
        while len(times) < 3 or time.perf_counter() < end:
            times.append(runner.seconds(tries=1))
        found.append((product.flops, min(times)))  # what else the machine did meanwhile, it will not do for long
    (_, least), *_, (flops, most) = found
    # The smallest is little but overhead, the largest little but work.
    return Rate(least, flops / max(most - least, 1e-9))


def step_seconds(config: GPTConfig, batch_size: int, rate: Rate) -> float:
    """About how long an optimizer step on ``batch_size`` windows takes, forward and backward."""
    products = products_of(config, batch_size)
    work = sum(product.times * rate.overhead + product.flops / rate.flops_per_second for product in products)
    return work / _SHARE + _UPDATE * parameters(config) / rate.flops_per_second + _STEP
