"""The matrix products of a training step and nothing else: the limit that a step of this model can come near.

A machine's peak is a figure of large, square matrices. What a model can reach is what its own products reach, in their
shapes and number format and with as many threads: they are run here by themselves, with memory that is there already.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from lab.model import GPTConfig
from lab.parts.cost import attention_span, one_block
from lab.profiling.parts import HEAD, SCORES, part_of
from lab.training.loss import ROWS


@dataclass(frozen=True)
class Product:
    """``(batch, rows, inner) @ (batch, inner, columns)``, ``times`` in a step."""

    part: str
    batch: int
    rows: int
    inner: int
    columns: int
    times: int = 1
    transposed: Literal["", "left", "right"] = ""
    """Which of the two lies in memory the other way round."""

    @property
    def flops(self) -> int:
        """Floating-point operations of all ``times``."""
        return 2 * self.batch * self.rows * self.inner * self.columns * self.times


def products_of(config: GPTConfig, batch_size: int) -> list[Product]:
    """The products of a step on ``batch_size`` windows, forward and backward."""
    tokens, found = batch_size * config.context_length, []
    block = one_block(config).blocks[0]
    for name, module in block.named_modules():
        if isinstance(module, nn.Linear):
            part = part_of(f"blocks.0.{name}", module)
            found += _linear(part, tokens, module.in_features, module.out_features, config.n_layers)
    heads, span = config.n_heads, attention_span(config)
    size: int = getattr(config, "head_size", config.emb_dim // heads)
    batch, seq = batch_size * heads, config.context_length
    times = 2 * config.n_layers
    found += [
        Product(SCORES, batch, seq, size, span, times, "right"),  # the scores, and the gradient of the weights
        Product(SCORES, batch, seq, span, size, times),  # the weighted sums, and the gradient of the queries
        Product(SCORES, batch, span, seq, size, times, "left"),  # the gradients of the keys and of the values
    ]
    full, rest = divmod(tokens, ROWS)  # the head's are taken a chunk at a time
    for rows, times in ((ROWS, full), (rest, 1)):
        if rows and times:
            found += _linear(HEAD, rows, config.emb_dim, config.vocab_size, times)
    return found


def _linear(part: str, tokens: int, inputs: int, outputs: int, times: int) -> list[Product]:
    """A layer's output, its gradient for what went in, and that for its weights."""
    return [
        Product(part, 1, tokens, inputs, outputs, times, "right"),
        Product(part, 1, tokens, outputs, inputs, times),
        Product(part, 1, outputs, tokens, inputs, times, "left"),
    ]


def number_format(precision: str) -> torch.dtype:
    """What the products of a training in ``precision`` (``trainer.precision``) are computed in."""
    if precision.startswith("bf16"):
        return torch.bfloat16
    return torch.float16 if precision.startswith("16") else torch.float32


class Runner:
    """Runs products again and again in the same memory."""

    def __init__(self, products: Sequence[Product], dtype: torch.dtype, device: torch.device) -> None:
        self._work = [(product, *_operands(product, dtype, device)) for product in products]
        self._device = device

    def run(self, part: str | None = None) -> None:
        """One step's products, or those of one part of it."""
        for product, left, right, result in self._work:
            if part in (None, product.part):
                for _ in range(product.times):
                    torch.bmm(left, right, out=result) if product.batch > 1 else torch.mm(left, right, out=result)

    def seconds(self, part: str | None = None, tries: int = 5) -> float:
        """Of one step's products: the median of ``tries``, after one that warms up."""
        found = []
        for _ in range(tries + 1):
            self._wait()
            began = time.perf_counter()
            self.run(part)
            self._wait()
            found.append(time.perf_counter() - began)
        return sorted(found[1:])[tries // 2]

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _operands(product: Product, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device).to(dtype)

    p = product
    left = numbers(p.batch, p.inner, p.rows).mT if p.transposed == "left" else numbers(p.batch, p.rows, p.inner)
    right = numbers(p.batch, p.columns, p.inner).mT if p.transposed == "right" else numbers(p.batch, p.inner, p.columns)
    result = torch.empty(p.batch, p.rows, p.columns, dtype=dtype, device=device)
    return (left, right, result) if p.batch > 1 else (left[0], right[0], result[0])
