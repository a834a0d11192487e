"""What a model is made of: ``python -m lab.summary model=small``. Builds nothing and trains nothing."""

import sys

import torch
from rich.console import Console
from rich.table import Table

from lab import cli, typed
from lab.config import Config, check
from lab.metrics import flops_per_token
from lab.model import GPTConfig, GPTModel

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
    step_tokens = config.data.batch_size * config.model.context_length * config.trainer.accumulate_grad_batches
    memory = training_memory(config.model, model, config.data.batch_size, mixed="mixed" in config.trainer.precision)
    console.print(f"parameters      {total:,} ({model.num_parameters(include_embeddings=False):,} without embeddings)")
    console.print(f"FLOPs a token   {flops:,} to train on, {flops // 3:,} to evaluate")
    console.print(f"FLOPs a step    {flops * step_tokens:,} for {step_tokens:,} tokens")
    console.print(
        f"memory          {sum(memory.values()) / 2**20:,.0f} MiB to train at data.batch_size="
        f"{config.data.batch_size}: " + ", ".join(f"{k} {v / 2**20:,.0f}" for k, v in memory.items())
    )


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


def training_memory(config: GPTConfig, model: GPTModel, batch_size: int, mixed: bool) -> dict[str, int]:
    """An estimate of the bytes that training takes, by kind.

    Weights, gradients and AdamW's two averages are exact: 4 bytes each for every parameter. The activations are what
    the backward pass needs of each block, counted tensor by tensor below, in numbers a token; attention's fused kernel
    keeps nothing of size seq x seq. Libraries, the allocator's slack and the CUDA context come on top.
    """
    total = model.num_parameters()
    tokens = batch_size * config.context_length
    width = 2 if mixed else 4
    # norm1 in, norm1 out, q k v (3), attention out, projected, norm2 in, norm2 out, expanded (4), GELU out (4),
    # projected; with dropout, three masks (1 byte a number) on top
    per_block = (1 + 1 + 3 + 1 + 1 + 1 + 1 + 4 + 4 + 1) * config.emb_dim * width
    if config.drop_rate:
        per_block += 2 * config.emb_dim
        # dropout on the attention weights needs the seq x seq matrix after all
        per_block += config.n_heads * config.context_length * (3 * width + 1)
    if config.activation_checkpointing:
        activations = tokens * (config.n_layers * config.emb_dim * width + per_block)
    else:
        activations = tokens * config.n_layers * per_block
    logits = min(tokens, 256) * config.vocab_size * 4 * 2  # a chunk of them and its gradient, see lab/loss.py
    return {
        "weights": 4 * total,
        "gradients": 4 * total,
        "optimizer": 8 * total,
        "activations": activations,
        "logits": logits,
    }


if __name__ == "__main__":
    main()
