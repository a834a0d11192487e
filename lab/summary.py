"""What a model is made of: ``python -m lab.summary model=small``. Builds nothing and trains nothing."""

import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.commands import entry
from lab.commands.options import training_config
from lab.config import typed_code
from lab.config.schema import Config
from lab.errors import LabError
from lab.model import GPTModel
from lab.runs.tensors import outline
from lab.system import device
from lab.training import memory_estimate
from lab.training.metrics import flops_per_token

_HELP = "python -m lab.summary [model=CHOICE] [OPTION=VALUE ...]: the options are those of lab.train --help"

_PARTS = (
    ("token_embedding", "one vector for each token of the vocabulary"),
    ("position_embedding", "one vector for each position"),
    ("blocks.*.norm1", "LayerNorm before attention"),
    ("blocks.*.attention.qkv", "queries, keys and values of all heads"),
    ("blocks.*.attention.project", "mixes the heads"),
    ("blocks.*.norm2", "LayerNorm before the feed-forward network"),
    ("blocks.*.feed_forward.expand", "to four times the width"),
    ("blocks.*.feed_forward.project", "and back"),
    ("final_norm", "LayerNorm before the head"),
    ("head", "a score for each token of the vocabulary"),
)


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
    try:
        model = outline(replace(shape, n_layers=1))  # of one block: the others are alike
    except ValueError as error:
        raise LabError(f"model.emb_dim={shape.emb_dim}: torch cannot count that many numbers; take fewer") from error
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(parts_table(model, shape.n_layers))
    total, inner = memory_estimate.parameters(shape), memory_estimate.inner_parameters(shape)
    flops = flops_per_token(config.model, total)
    trainer = config.trainer
    windows = config.data.batch_size * trainer.accumulate_grad_batches * trainer.devices
    step_tokens = windows * config.model.context_length
    memory = memory_estimate.training_memory(config, device.choose(trainer.accelerator))
    console.print(f"parameters      {total:,} ({inner:,} without embeddings)")
    console.print(f"FLOPs a token   {flops:,} to train on, {flops // 3:,} to evaluate")
    console.print(f"FLOPs a step    {flops * step_tokens:,} for {step_tokens:,} tokens")
    where = f"data.batch_size={config.data.batch_size}" + (" on each device" if trainer.devices > 1 else "")
    kinds = ", ".join(f"{kind} {size / 2**20:,.0f}" for kind, size in memory.items())
    console.print(f"memory          {sum(memory.values()) / 2**20:,.0f} MiB to train at {where}: {kinds}")


def parts_table(model: GPTModel, n_layers: int) -> Table:
    """One row a part; the blocks are alike and share theirs."""
    table = Table(box=None, pad_edge=False)
    for name, justify in (("part", "left"), ("shape", "left"), ("each", "right"), ("times", "right"), ("all", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("what it is")
    for part, what in _PARTS:
        module = model.get_submodule(part.replace("*", "0"))
        times = n_layers if "*" in part else 1
        shapes = " + ".join("x".join(map(str, p.shape)) for p in module.parameters())
        each = sum(p.numel() for p in module.parameters())
        if part == "head" and model.config.tie_embeddings:
            table.add_row(part, shapes, "0", "1", "0", "the same matrix as token_embedding (tied)")
            continue
        table.add_row(part, shapes, f"{each:,}", str(times), f"{each * times:,}", what)
    return table


if __name__ == "__main__":
    main()
