"""How much memory a training takes: counted from its options, before anything is allocated."""

from pathlib import Path

import psutil
import torch

from lab.config.schema import AdamWConfig, Config, SGDConfig
from lab.errors import LabError
from lab.model import GPTConfig

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_MODULE_BYTES = 20_000
"""What a block takes as objects of Python: nothing, but for a model of millions of them."""


def parameters(shape: GPTConfig) -> int:
    """How many numbers a model of this shape learns: ``GPTModel(shape).num_parameters()`` without the model, which a
    billion layers would take hours to make."""
    d = shape.emb_dim
    norm = d * (2 if shape.bias else 1)
    attention = 4 * d * d + 3 * d * shape.qkv_bias + d * shape.bias
    feed_forward = 8 * d * d + 5 * d * shape.bias
    embeddings = (shape.vocab_size * (1 if shape.tie_embeddings else 2) + shape.context_length) * d
    return embeddings + shape.n_layers * (2 * norm + attention + feed_forward) + norm


def inner_parameters(shape: GPTConfig) -> int:
    """The same without embeddings and head: ``num_parameters(include_embeddings=False)``."""
    tables = shape.vocab_size * (1 if shape.tie_embeddings else 2) + shape.context_length
    return parameters(shape) - tables * shape.emb_dim


def training_memory(config: Config) -> dict[str, int]:
    """An estimate of the bytes that training takes on a device, by kind.

    Weights, gradients and what the optimizer remembers of them are exact: for every parameter 4 bytes each, or 2 in
    bf16-true; AdamW remembers two averages, SGD one or none. The activations are what the backward pass needs of each
    block, counted tensor by tensor below, in numbers a token; attention's fused kernel keeps nothing of size seq x seq.
    Libraries, the allocator's slack and the CUDA context come on top.
    """
    shape, precision = config.model, config.trainer.precision
    total = parameters(shape)
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
    logits = min(tokens, 256) * shape.vocab_size * 4 * 2  # a chunk of them and its gradient, see lab/training/loss.py
    return {
        "weights": kept * total,
        "gradients": kept * total,
        "optimizer": remembered * kept * total,
        "activations": activations,
        "logits": logits,
    }


def refuse_what_cannot_fit(config: Config, device: str) -> None:
    """Refuses a training that is beyond all the memory of ``device`` (``cpu``, ``gpu`` or ``mps``), by a count that
    errs on the small side: what is only likely to be too large may try.

    Raises:
        LabError: with the two largest needs and the options that lower them.
    """
    model, batch = _least(config)
    there = _memory_of(device)
    if model + batch > there:
        raise LabError(
            f"this training needs at least {_size(model + batch)} of memory ({_size(model)} for the model and its "
            f"optimizer, {_size(batch)} for a batch), and there are {_size(there)} on this {device}: take a smaller "
            f"{'model.emb_dim or model.n_layers' if model > batch else 'data.batch_size or model.context_length'}"
        )


def _least(config: Config) -> tuple[int, int]:
    """The bytes that the model with its gradients and averages takes, and those for one batch."""
    shape = config.model
    exact = training_memory(config)
    # Another optimizer than AdamW and SGD may remember less than they do.
    known = isinstance(config.optimizer, AdamWConfig | SGDConfig)
    model = exact["weights"] + exact["gradients"] + known * exact["optimizer"] + shape.n_layers * _MODULE_BYTES
    # Half of what a block keeps: a compiled one computes some of it a second time instead.
    kept = 1 if shape.activation_checkpointing else 9
    width = 4 if config.trainer.precision == "32-true" else 2
    batch = config.data.batch_size * shape.context_length * shape.n_layers * shape.emb_dim * kept * width
    return model, batch


def _memory_of(device: str) -> int:
    if device == "gpu":
        return int(torch.cuda.get_device_properties(0).total_memory)
    there = psutil.virtual_memory().total + psutil.swap_memory().total
    for file in map(Path, _CGROUP_LIMITS):  # a container may have less than its machine
        try:
            there = min(there, int(file.read_text()))
        except (OSError, ValueError):  # no such limit: "max"
            continue
    return there


def _size(size: int) -> str:
    return f"{size / 2**40:,.0f} TiB" if size >= 10 * 2**40 else f"{size / 2**30:,.1f} GiB"
