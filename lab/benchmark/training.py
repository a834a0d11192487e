"""A training step on each side: forward, backward, the gradient clipped at 1.0, AdamW. The batches are random tokens,
the same ones on all sides."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from lab.benchmark.child import Orders
from lab.benchmark.models import rival
from lab.config.schema import Config
from lab.profiling.products import Runner, number_format, products_of
from lab.system.malloc import keep_freed_memory
from lab.training import arithmetic

CPU = torch.device("cpu")
Step = Callable[[Tensor, Tensor], Tensor]
"""Inputs and targets, both ``(batch, seq)``, to the loss before the step."""


def serve(config: Config, job: dict[str, Any], orders: Orders) -> None:
    """Sets the side up and takes the steps that it is told to."""
    if job["side"] == "products":
        keep_freed_memory()
        products = products_of(config.model, config.data.batch_size)
        runner = Runner(products, number_format(config.trainer.precision), CPU)
        orders.serve(runner.run, flops=sum(product.flops for product in products))
        return
    if job["side"] == "lab-eager":  # beside compiled ones: what somebody gets who types nothing
        config.trainer.compile = False
    if job["side"].startswith("lab"):
        step, facts = lab_step(config)
    else:
        step, facts = _rival_step(config, job)
    stream = batches(config)
    if job["what"] == "training":  # of a start, the first step is what is measured
        facts["first_loss"] = step(*next(stream)).item()
    orders.serve(lambda: step(*next(stream)), **facts)


def batches(config: Config) -> Iterator[tuple[Tensor, Tensor]]:
    """Random tokens without end, ``(batch, seq)`` twice; the same ones for the same seed."""
    generator = torch.Generator().manual_seed(config.seed)
    shape = (config.data.batch_size, config.model.context_length + 1)
    while True:
        tokens = torch.randint(0, config.model.vocab_size, shape, generator=generator)
        # Each a tensor of its own, as loaders make them: nanoGPT takes no other.
        yield tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def lab_step(config: Config) -> tuple[Step, dict[str, Any]]:
    """A step as lab/training/module.py takes it, without Lightning around; and what to say of it."""
    from lab.training.compilation import compile_blocks
    from lab.training.loss import next_token_loss
    from lab.training.wiring import make_model, make_optimizer

    keep_freed_memory()
    precision = config.trainer.precision
    model = make_model(config).train()
    facts = {"parameters": model.num_parameters()}
    if precision == "bf16-true":
        model.to(torch.bfloat16)
    if config.trainer.compile:
        compile_blocks(model)
    optimizer = make_optimizer(config, model, "cpu")

    def step(inputs: Tensor, targets: Tensor) -> Tensor:
        with arithmetic.autocast(config.trainer, CPU):
            loss = next_token_loss(model.hidden(inputs), model.head.weight, targets)
        _update(loss, model, optimizer)
        return loss

    return step, facts


def _rival_step(config: Config, job: dict[str, Any]) -> tuple[Step, dict[str, Any]]:
    """The same step as one would write it with the other package."""
    precision = config.trainer.precision
    theirs = rival(job["side"], config, job.get("nanogpt"))
    model = theirs.model.train()
    facts = {"parameters": sum(p.numel() for p in model.parameters()), "differs": theirs.differs}
    if precision == "bf16-true":
        model.to(torch.bfloat16)
    optimizer = theirs.optimizer(job.get("fused", False))
    called: Any = torch.compile(model) if config.trainer.compile else model

    def step(inputs: Tensor, targets: Tensor) -> Tensor:
        with arithmetic.autocast(config.trainer, CPU):
            loss = theirs.loss(called, inputs, targets)
        _update(loss, model, optimizer)
        return loss

    return step, facts


def _update(loss: Tensor, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
