"""How much memory a training takes: counted from its options, before anything is allocated."""

import dataclasses

import torch

from lab.config.optimizer_schema import AdafactorConfig, AdamWConfig, MuonConfig, SGDConfig
from lab.config.precision import resolved
from lab.config.schema import Config
from lab.errors import LabError
from lab.kernels import head_loss
from lab.optim.parameter_groups import role
from lab.parts import swiglu
from lab.parts.config import ModelConfig
from lab.parts.cost import one_block, parameters
from lab.system import bfloat16, memory
from lab.training.loss import ROWS

_MODULE_BYTES = 20_000
"""What a block takes as objects of Python: nothing, but for a model of millions of them."""


def training_memory(config: Config, device: str = "cpu") -> dict[str, int]:
    """An estimate of the bytes that a training step takes on ``device`` (``cpu``, ``gpu`` or ``mps``), by kind; on
    each, if there are several.

    Weights, gradients and what the optimizer remembers of them are exact: for every parameter 4 bytes each, or 2 in
    bf16-true; AdamW remembers two averages, SGD one or none, Muon one of each matrix in the blocks, Adafactor a row and
    a column of each matrix. They are counted together with the activations because the last step's gradients are let go
    only after the next forward pass. Libraries, the allocator's slack and the CUDA context come on top. Held against
    the measured peak of a step in ``tests/training/test_memory_estimate.py``.
    """
    shape, precision = config.model, resolved(config.trainer)
    tokens = config.data.batch_size * shape.context_length
    kept = 2 if precision == "bf16-true" else 4
    if precision == "32-true":
        # A chunk of logits, its gradient, and half as much again (measured) for the products between them; and the
        # head's own gradient, which is computed with them in the forward pass (see lab/training/loss.py).
        chunk = min(tokens, ROWS) * shape.vocab_size * 4
        logits = chunk * 5 // 2 + shape.vocab_size * shape.emb_dim * kept
    else:
        logits = head_loss.peak_memory(tokens, shape.vocab_size, shape.emb_dim, device)
        if device == "cpu" and not bfloat16.native()[0]:
            # A product is then made in 32 bits and rounded: that of a chunk of logits, or that which is the head's
            # gradient, whose memory stays a hole (measured).
            rows = max(min(tokens, head_loss.CHUNK), 2 * shape.emb_dim)
            logits += 4 * rows * head_loss.padded(shape.vocab_size)
    shares = config.trainer.processes if config.trainer.strategy == "fsdp" else 1
    weights, remembered = model_bytes(config)
    return {
        "weights": weights // shares,
        "gradients": weights // shares,
        "optimizer": remembered // shares,
        "activations": tokens * _activations(shape, precision, device == "cpu")
        + (_borders(config, precision, device) if config.data.document_mask else _visible(shape, precision)),
        "logits": logits,
    }


def model_bytes(config: Config) -> tuple[int, int]:
    """The bytes of all weights, and of what the optimizer remembers of them: what a checkpoint is made of."""
    shape = config.model
    try:
        total = parameters(shape)
    except LabError:  # so large that it need not be exact: the embeddings alone
        total = shape.vocab_size * shape.emb_dim
    kept = 2 if resolved(config.trainer) == "bf16-true" else 4
    return kept * total, kept * _remembered(config, total)


def _remembered(config: Config, total: int) -> int:
    """How many numbers the optimizer remembers of ``total`` parameters."""
    optimizer = config.optimizer
    if isinstance(optimizer, SGDConfig):
        return total if optimizer.momentum else 0
    if not isinstance(optimizer, MuonConfig | AdafactorConfig):
        return 2 * total
    try:
        model = one_block(config.model)
    except LabError:  # so large that it need not be exact
        return total
    times = {name: config.model.n_layers if name.startswith("blocks.") else 1 for name, _ in model.named_parameters()}
    if isinstance(optimizer, MuonConfig):
        return 2 * total - sum(
            times[name] * p.numel() for name, p in model.named_parameters() if role(name, p) == "hidden"
        )
    # A row and a column of each matrix, a running square of each vector.
    return sum(
        times[name] * (p.numel() if p.dim() < 2 else p.numel() // p.shape[-1] + p.numel() // p.shape[-2])
        for name, p in model.named_parameters()
    )


def _activations(shape: ModelConfig, precision: str, on_cpu: bool) -> int:
    """The bytes a token that the forward pass keeps for the backward pass, tensor by tensor."""
    width = 4 if precision == "32-true" else 2
    heads = shape.n_heads * shape.head_size
    # The norms' inputs and outputs (4), queries, keys and values, the heads' results, the hidden vectors.
    block = (4 * shape.emb_dim + 2 * heads + 2 * shape.kv_heads * shape.head_size + _hidden(shape)) * width
    if shape.kv_heads < shape.n_heads:
        block += 2 * heads * width  # keys and values, once for each query
    if shape.drop_rate:
        # Two masks: on a CPU numbers (see Dropout in lab/model.py), in the fused kernels of others a byte each.
        block += 2 * shape.emb_dim * (width if on_cpu else 1)
    if not on_cpu:
        block += heads * width  # what the fused kernel has computed, in another layout, for its own backward pass
    elif shape.drop_rate:
        block += 3 * heads * width  # holes in memory where lab/kernels/attention.py had its copies (measured: 2 to 4)
    ends = 3 * shape.emb_dim * width  # the embeddings' mask, the last norm's input and output
    if shape.activation_checkpointing:  # each block's input, and one block at a time computed again
        return shape.n_layers * shape.emb_dim * width + block + ends
    return shape.n_layers * block + ends


def _visible(shape: ModelConfig, precision: str) -> int:
    """The bytes that the layers keep of who may look at whom: seq x seq in each, unless that is simply the past."""
    layers = 1 if shape.activation_checkpointing else shape.n_layers
    if shape.position == "alibi":
        return layers * shape.context_length**2 * shape.n_heads * (4 if precision == "32-true" else 2)
    return layers * shape.context_length**2 if shape.sliding_window else 0


def _borders(config: Config, precision: str, device: str) -> int:
    """The same for windows of several documents: seq x seq for each window, as bits that all layers share and, but for
    dropout on a CPU, as numbers in each of them."""
    shape = config.model
    pairs = config.data.batch_size * shape.context_length**2
    layers = 1 if shape.activation_checkpointing else shape.n_layers
    width = 4 if precision == "32-true" else 2
    if shape.position == "alibi":
        return pairs * (1 + layers * shape.n_heads * width)
    as_numbers = 0 if device == "cpu" and shape.drop_rate else layers * width
    return pairs * (1 + as_numbers + (layers if shape.sliding_window else 0))


def _hidden(shape: ModelConfig) -> int:
    """The numbers a token that the feed-forward network keeps: before and after its activation, and products of it.
    Of a network of the user's own nothing is known, and it is taken for GPT-2's."""
    if shape.feed_forward == "swiglu":  # gate and up, the gate's activation, the product
        return 4 * (shape.hidden_dim or swiglu.default_width(shape.emb_dim))
    wide = shape.hidden_dim or 4 * shape.emb_dim
    return (3 if shape.feed_forward == "relu2" else 2) * wide


def roomy_batch(config: Config, device: str, free: int, windows: int) -> int | None:
    """The largest ``data.batch_size`` that ``free`` bytes would hold by the estimate, with a fifth of them to spare: a
    power of two, of no more than the ``windows`` there are. None if it is not at least twice that of the options."""
    size = 1
    while 2 * size <= windows and _with_batch(config, device, 2 * size) <= 0.8 * free:
        size *= 2
    return size if size >= 2 * config.data.batch_size else None


def _with_batch(config: Config, device: str, size: int) -> int:
    data = dataclasses.replace(config.data, batch_size=size)
    return sum(training_memory(dataclasses.replace(config, data=data), device).values())


def refuse_what_cannot_fit(config: Config, device: str) -> None:
    """Refuses a training that is beyond all the memory of ``device`` (``cpu``, ``gpu`` or ``mps``), by a count that
    errs on the small side: what is only likely to be too large may try.

    Raises:
        LabError: with the two largest needs and the options that lower them.
    """
    sharing = int(config.trainer.devices) if device == "cpu" else 1  # processes that share this memory
    model, batch = (sharing * size for size in _least(config))
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
    exact = training_memory(config)  # of these, what the device makes of dropout is not used
    # Another optimizer than these may remember less than they do.
    known = isinstance(config.optimizer, AdamWConfig | SGDConfig | MuonConfig)
    model = exact["weights"] + exact["gradients"] + known * exact["optimizer"] + shape.n_layers * _MODULE_BYTES
    # Half of what a block keeps: a compiled one computes some of it a second time instead.
    kept = 1 if shape.activation_checkpointing else 9
    width = 4 if resolved(config.trainer) == "32-true" else 2
    batch = config.data.batch_size * shape.context_length * shape.n_layers * shape.emb_dim * kept * width
    return model, batch


def _memory_of(device: str) -> int:
    return int(torch.cuda.get_device_properties(0).total_memory) if device == "gpu" else memory.total()


def _size(size: int) -> str:
    return f"{size / 2**40:,.0f} TiB" if size >= 10 * 2**40 else f"{size / 2**30:,.1f} GiB"
