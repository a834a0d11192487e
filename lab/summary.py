"""What a model is made of: ``python -m lab.summary model=small``. Builds nothing and trains nothing."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from torch import nn

from lab.commands import entry
from lab.commands.training_options import training_config
from lab.config import typed_code
from lab.config.schema import Config
from lab.model import GPTModel
from lab.parts.cost import cache_numbers_per_token, flops_per_token, inner_parameters, one_block, parameters
from lab.system import device
from lab.training import disk_estimate, memory_estimate

_HELP = "python -m lab.summary [model=CHOICE] [OPTION=VALUE ...]: the options are those of lab.train --help"

_WHAT = {
    "token_embedding": "one vector for each token of the vocabulary",
    "position_embedding": "one vector for each position",
    "norm1": "{kind} before attention",
    "attention.qkv": "queries, keys and values of all heads",
    "attention.qk_norm.queries": "{kind} of the queries",
    "attention.qk_norm.keys": "{kind} of the keys",
    "attention.project": "mixes the heads",
    "norm2": "{kind} before the feed-forward network",
    "feed_forward.expand": "to its hidden units",
    "feed_forward.project": "and back",
    "final_norm": "{kind} before the head",
    "head": "a score for each token of the vocabulary",
}
"""What parts are for, by their names in the model or in a block. Those of a user's own say it in their docstrings."""


def main() -> None:
    """The command line: takes the same options as lab.train."""
    entry.run_composing(_start, lambda: _HELP)


def _start() -> None:
    config = training_config(sys.argv[1:])
    with typed_code.allowed(sys.argv[1:], config.parts, Path.cwd()):
        show(config)


def show(config: Config) -> None:
    """Prints the parts with their shapes and parameter counts, and what training them costs."""
    shape = config.model
    model = one_block(shape)
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(parts_table(model, shape.n_layers))
    total, inner = parameters(shape), inner_parameters(shape)
    flops = flops_per_token(shape)
    trainer = config.trainer
    windows = config.data.batch_size * trainer.accumulate_grad_batches * trainer.processes
    step_tokens = windows * config.model.context_length
    memory = memory_estimate.training_memory(config, device.choose(trainer.accelerator))
    console.print(f"parameters      {total:,} ({inner:,} without embeddings)")
    console.print(f"FLOPs a token   {flops:,} to train on, {flops // 3:,} to evaluate")
    console.print(f"FLOPs a step    {flops * step_tokens:,} for {step_tokens:,} tokens")
    cache = cache_numbers_per_token(shape)
    console.print(f"cache           {4 * cache * shape.context_length / 2**20:,.1f} MiB for a text of a whole context")
    where = f"data.batch_size={config.data.batch_size}" + (" on each device" if trainer.processes > 1 else "")
    kinds = ", ".join(f"{kind} {size / 2**20:,.0f}" for kind, size in memory.items())
    kept = disk_estimate.kept(config)
    console.print(
        f"disk            {kept.total_bytes / 2**20:,.0f} MiB at most with save=true: {kept.whole} checkpoints of "
        f"{kept.whole_bytes / 2**20:,.0f}, weights of {kept.snapshots} moments of {kept.snapshot_bytes / 2**20:,.0f}"
    )
    console.print(f"memory          {sum(memory.values()) / 2**20:,.0f} MiB to train at {where}: {kinds}")


def parts_table(model: GPTModel, n_layers: int) -> Table:
    """One row a part; the blocks are alike and share theirs."""
    table = Table(box=None, pad_edge=False)
    for name, justify in (("part", "left"), ("shape", "left"), ("each", "right"), ("times", "right"), ("all", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("what it is")
    for part, module in _parts(model):
        times = n_layers if "*" in part else 1
        shapes = " + ".join("x".join(map(str, p.shape)) for p in module.parameters(recurse=False))
        each = sum(p.numel() for p in module.parameters(recurse=False))
        if part == "head" and model.config.tie_embeddings:
            table.add_row(part, shapes, "0", "1", "0", "the same matrix as token_embedding (tied)")
            continue
        what = _WHAT.get(part.removeprefix("blocks.*."), "").format(kind=type(module).__name__)
        what = what or (inspect.getdoc(type(module)) or "").partition("\n")[0]
        table.add_row(part, shapes, f"{each:,}", str(times), f"{each * times:,}", what)
    return table


def _parts(model: GPTModel) -> Iterator[tuple[str, nn.Module]]:
    """What has parameters of its own, by its name, in the order in which a token meets it."""
    for name, module in model.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            yield re.sub(r"^blocks\.0", "blocks.*", name), module


if __name__ == "__main__":
    main()
