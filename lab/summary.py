"""What a model is made of: ``python -m lab.summary model=small``. Builds nothing and trains nothing."""

import sys

import torch
from rich.console import Console
from rich.table import Table

from lab import cli, typed
from lab.config import Config, SGDConfig, check
from lab.metrics import flops_per_token
from lab.model import GPTModel

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
    cli.run(_start, lambda: _HELP)


def _start() -> None:
    typed.refuse_senseless(sys.argv[1:], trains=False)
    show(check(cli.compose_config(sys.argv[1:])))


def show(config: Config) -> None:
    """Prints the parts with their shapes and parameter counts, and what training them costs."""
    with torch.device("meta"):  # shapes without memory: the large model takes no longer than nano
        model = GPTModel(config.model)
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(parts_table(model))
    total = model.num_parameters()
    flops = flops_per_token(config.model, total)
    trainer = config.trainer
    windows = config.data.batch_size * trainer.accumulate_grad_batches * trainer.devices
    step_tokens = windows * config.model.context_length
    memory = training_memory(config, model)
    console.print(f"parameters      {total:,} ({model.num_parameters(include_embeddings=False):,} without embeddings)")
    console.print(f"FLOPs a token   {flops:,} to train on, {flops // 3:,} to evaluate")
    console.print(f"FLOPs a step    {flops * step_tokens:,} for {step_tokens:,} tokens")
    where = f"data.batch_size={config.data.batch_size}" + (" on each device" if trainer.devices > 1 else "")
    kinds = ", ".join(f"{kind} {size / 2**20:,.0f}" for kind, size in memory.items())
    console.print(f"memory          {sum(memory.values()) / 2**20:,.0f} MiB to train at {where}: {kinds}")


def parts_table(model: GPTModel) -> Table:
    """One row a part; the blocks are alike and share theirs."""
    table = Table(box=None, pad_edge=False)
    for name, justify in (("part", "left"), ("shape", "left"), ("each", "right"), ("times", "right"), ("all", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("what it is")
    for part, what in _PARTS:
        module = model.get_submodule(part.replace("*", "0"))
        times = model.config.n_layers if "*" in part else 1
        shapes = " + ".join("x".join(map(str, p.shape)) for p in module.parameters())
        each = sum(p.numel() for p in module.parameters())
        if part == "head" and model.config.tie_embeddings:
            table.add_row(part, shapes, "0", "1", "0", "the same matrix as token_embedding (tied)")
            continue
        table.add_row(part, shapes, f"{each:,}", str(times), f"{each * times:,}", what)
    return table


def training_memory(config: Config, model: GPTModel) -> dict[str, int]:
    """An estimate of the bytes that training takes on a device, by kind.

    Weights, gradients and what the optimizer remembers of them are exact: for every parameter 4 bytes each, or 2 in
    bf16-true; AdamW remembers two averages, SGD one or none. The activations are what the backward pass needs of each
    block, counted tensor by tensor below, in numbers a token; attention's fused kernel keeps nothing of size seq x seq.
    Libraries, the allocator's slack and the CUDA context come on top.
    """
    shape, precision = config.model, config.trainer.precision
    total = model.num_parameters()
    tokens = config.data.batch_size * shape.context_length
    width = 4 if precision == "32-true" else 2
    kept = 2 if precision == "bf16-true" else 4
    remembered = 2 if not isinstance(config.optimizer, SGDConfig) else 1 if config.optimizer.momentum else 0
    # norm1 in, norm1 out, q k v (3), attention out, projected, norm2 in, norm2 out, expanded (4), GELU out (4),
    # projected; with dropout, three masks (1 byte a number) on top
    per_block = (1 + 1 + 3 + 1 + 1 + 1 + 1 + 4 + 4 + 1) * shape.emb_dim * width
    if shape.drop_rate:
        per_block += 2 * shape.emb_dim
        # dropout on the attention weights needs the seq x seq matrix after all
        per_block += shape.n_heads * shape.context_length * (3 * width + 1)
    if shape.activation_checkpointing:
        activations = tokens * (shape.n_layers * shape.emb_dim * width + per_block)
    else:
        activations = tokens * shape.n_layers * per_block
    logits = min(tokens, 256) * shape.vocab_size * 4 * 2  # a chunk of them and its gradient, see lab/loss.py
    return {
        "weights": kept * total,
        "gradients": kept * total,
        "optimizer": remembered * kept * total,
        "activations": activations,
        "logits": logits,
    }


if __name__ == "__main__":
    main()
