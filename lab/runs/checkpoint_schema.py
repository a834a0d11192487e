"""What a checkpoint consists of: each part, its type, its shape, its range.

A checkpoint comes from who knows where, and its tensors go into kernels that believe what they are told: an average of
another shape than its weight is a write into somebody else's memory. So nothing takes any part of a file before it
has passed here, and what is not declared here is not passed on. What follows from the number of finished steps (the
loops' counters, the scheduler's place) is not read at all, but derived from that number
(see ``lab.training.checkpointing``).

This is what a file can be held to by itself. Whether it fits the run that goes on: ``lab.training.resume_check``.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, NotRequired, TypedDict

import torch
from torch import Tensor, nn

from lab.config.limits import LIMITS
from lab.config.optimizer_schema import KNOWN
from lab.config.plan import Plan
from lab.config.schema import Config
from lab.data.shuffle import How
from lab.files.validation import (
    Kind,
    Unfit,
    nothing_or,
    number,
    parts,
    plain,
    rows,
    said,
    switch,
    table,
    text,
    whole,
)
from lab.model import GPTConfig
from lab.parts.config import ModelConfig
from lab.runs import tensors
from lab.runs.optimizer_state import FLOATS, OptimizerState, check_optimizer, dense
from lab.tokenizers import definition
from lab.tokenizers.contract import Definition

PREFIX = "model."
"""In front of the decoder's names: it is the attribute of the LightningModule that holds it."""

MOST_STEPS = 10**12


class CorpusMetadata(TypedDict):
    """Which text a checkpoint was trained on."""

    name: str
    """Of the group ``corpus``: ``fables``, ``text``, ..."""
    fingerprint: str
    """Of its tokens: another one is another text."""
    n_tokens: NotRequired[int]
    """Of the whole text, that of validation included."""


class Metadata(TypedDict):
    """What a checkpoint says of itself, under ``lab``: plain values, enough to rebuild the model and to refuse a wrong
    resume."""

    format: int
    """The version of these fields: ``lab.runs.migrations.FORMAT``."""
    config: dict[str, Any]
    """Every option, as ``config.yaml`` has them. Only ``model`` and ``corpus.name`` are sure to be there."""
    plan: dict[str, int]
    """The fields of ``lab.config.plan.Plan``: steps, intervals, windows."""
    tokenizer: Definition
    """``gpt2``, or all there is to know of another one (see ``lab.tokenizers.definition``)."""
    corpus: CorpusMetadata
    weights_only: NotRequired[bool]
    """What its optimizer remembered was left out: there is nothing to train on from."""
    optimizer_checksum: NotRequired[str]
    """SHA-256 over ``optimizer_states``, in hexadecimal; from format 6 on."""
    checksum: NotRequired[str]
    """SHA-256 over everything else but itself, in hexadecimal; up to format 5, also over ``optimizer_states``; format 1
    has none."""


class RecordState(TypedDict):
    """The state of ``lab.training.callbacks.Record``."""

    val: dict[str, float]
    """The latest validation: val_loss (nats a token), val_perplexity, val_bits_per_byte; empty before the first."""
    best: dict[str, float]
    """The same of the best one; a val_loss of infinity before the first."""
    seconds: float
    """Of all parts of the run, evaluations included."""
    best_step: int
    val_step: int
    """The step that was evaluated last; -1 before the first evaluation."""


class DataState(TypedDict):
    """The state of ``lab.training.datamodule.LabData``."""

    step: int
    """Finished optimizer steps."""
    position: int
    """Windows trained on."""
    shuffle: NotRequired[str]
    """How the windows are put into an order, see ``lab.data.shuffle.How``; up to format 4, always by a permutation."""


class CheckpointDict(TypedDict):
    """A checkpoint that has been checked: the names are Lightning's. Callbacks that write beside their state have keys
    of their own in it, which are only passed on."""

    lab: Metadata
    global_step: int
    """Finished optimizer steps."""
    state_dict: dict[str, Tensor]
    """The weights, by ``PREFIX`` and the decoder's names, on the CPU, in one of ``FLOATS``."""
    optimizer_states: list[OptimizerState]
    """One; none, if it was not to be read."""
    loops: dict[str, Any]
    """Not read: derived from the step."""
    callbacks: dict[str, Any]
    """The states of callbacks, by name: ``Record`` (``RecordState``), ``Checkpoints``, ``Spent``; those of others."""
    LabData: DataState
    occurring: NotRequired[Tensor]
    """``(vocab_size,)`` uint8: 1 where a token stands in the training text. Not there: nobody has looked (earlier
    versions), or the run began with weights that know more than its text."""
    MixedPrecision: NotRequired[dict[str, float]]
    """In fp16: the scaler of the loss, see ``SCALER``."""


def options(schema: type, prefix: str = "") -> Kind:
    """The options of a dataclass of ``lab.config.schema`` as plain values, each of its type and in its range."""
    hints = typing.get_type_hints(schema)
    kinds = {f.name: _option(hints[f.name], f"{prefix}{f.name}") for f in dataclasses.fields(schema)}
    return parts({}, kinds, others=plain)


def _option(hint: Any, name: str) -> Kind:
    members = typing.get_args(hint)
    if isinstance(hint, types.UnionType) and type(None) in members:
        (hint,) = (member for member in members if member is not type(None))
        return nothing_or(_option(hint, name))
    if name == "optimizer":  # one of these, or the user's own
        # Where an option has another type with one of them, the last one counts.
        both = {f.name: f for schema in KNOWN for f in dataclasses.fields(schema)}
        return parts({}, {key: _option(f.type, f"{name}.{key}") for key, f in both.items()}, others=plain)
    if dataclasses.is_dataclass(hint):
        return options(typing.cast(type, hint), f"{name}.")
    if typing.get_origin(hint) is tuple:
        return rows(_option(members[0], name), len(members))
    if typing.get_origin(hint) is list:
        return rows(_option(members[0], name))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _one_of(tuple(member.name for member in hint))
    if isinstance(hint, types.UnionType):  # a number, or a word that a run has made a number of
        hint = int
    kind: Kind = {bool: switch, int: whole(), float: number(), str: text()}.get(hint, plain)
    limit = LIMITS.get(name)
    if limit is None:
        return kind

    def within(value: Any, where: str) -> Any:
        if not limit.holds(kind(value, where)):
            raise Unfit(f"{where} is {said(value)}, and must be {limit}")
        return value

    return within


def _one_of(choices: tuple[str, ...]) -> Kind:
    def check(value: Any, where: str) -> Any:
        if type(value) is not str or value not in choices:
            raise Unfit(f"{where} is {said(value)}, and must be one of {', '.join(choices)}")
        return value

    return check


_LOSS = number(0, infinite=True)
"""In nats; infinite before the first validation."""

_FIGURES = parts({}, dict.fromkeys(("val_loss", "val_perplexity", "val_bits_per_byte"), _LOSS))

STEP = whole(0, MOST_STEPS)


def _of_model(schema: type) -> dict[str, Kind]:
    hints = typing.get_type_hints(schema)
    return {f.name: _option(hints[f.name], f"model.{f.name}") for f in dataclasses.fields(schema)}


METADATA = parts(
    {
        "format": whole(1),
        "config": parts(
            {
                "model": parts(_of_model(GPTConfig), _of_model(ModelConfig)),
                "corpus": parts({"name": text(1000)}, {}, others=plain),
            },
            {},
            others=plain,
        ),
        "plan": parts({f.name: whole(0 if f.name == "warmup_steps" else 1) for f in dataclasses.fields(Plan)}),
        "tokenizer": definition.check,
        "corpus": parts({"name": text(1000), "fingerprint": text(100)}, {"n_tokens": whole()}),
    },
    {"checksum": text(64), "optimizer_checksum": text(64), "weights_only": switch},
)
"""What a checkpoint says of itself; the options only as far as they decide the model."""

_SPENT = parts({"seconds": number(0), "processor_seconds": number(0)})

CALLBACKS: Mapping[str, Kind] = {
    "Record": parts(
        {
            "val": _FIGURES,
            "best": parts({"val_loss": _LOSS}, {"val_perplexity": _LOSS, "val_bits_per_byte": _LOSS}),
            "seconds": number(0),
            "best_step": STEP,
            "val_step": whole(-1, MOST_STEPS),
        }
    ),
    "Checkpoints": parts({"best_val_loss": _LOSS}),
    "Alerts": lambda *_: {},  # of earlier versions: the log has what it had
    "Spent": lambda value, where: _SPENT(value, where) if value != {} else {},  # empty: they are not known
}
"""States of callbacks that are ours. Those of others must be plain values and tensors, and are their own business."""

SCALER = parts(
    {
        "scale": number(0),
        "growth_factor": number(1),
        "backoff_factor": number(0, 1),
        "growth_interval": whole(1),
        "_growth_tracker": whole(),
    }
)
"""Of mixed precision in fp16: the factor that keeps small gradients from becoming zero."""


def _marks(value: Any, where: str) -> Tensor:
    """A 0 or a 1 for each token, and a 1 for at least one of them."""
    found = dense(value, where)
    if found.dtype != torch.uint8 or found.dim() != 1 or not found.numel() or found.max() != 1:
        raise Unfit(f"{where} must have a 0 or a 1 for each token, and not be all 0")
    return found


def _kept(value: Any, where: str) -> Any:
    """What a callback has put there."""
    return plain(value, where, leaf=dense)


_NEEDED: Mapping[str, Kind] = {
    "lab": METADATA,
    "global_step": STEP,
    "state_dict": table(dense),
    "loops": parts({"fit_loop": table(lambda *_: None)}),
    "callbacks": parts({"Record": CALLBACKS["Record"]}, CALLBACKS, others=_kept),
    "LabData": parts({"step": STEP, "position": whole()}, {"shuffle": _one_of(typing.get_args(How))}),
}
_OPTIONAL: Mapping[str, Kind] = {
    "occurring": _marks,
    "MixedPrecision": SCALER,
    # Of Lightning, and either derived or not needed.
    "lr_schedulers": lambda *_: [],
    "epoch": lambda *_: 0,
    "pytorch-lightning_version": lambda *_: "",
}
_OPTIMIZER = rows(parts({"state": lambda value, _: value, "param_groups": rows(table(plain), 2)}), 1)
# What else there is comes of callbacks that write beside their state, such as Lightning's WeightAveraging.
WHOLE = parts({**_NEEDED, "optimizer_states": _OPTIMIZER}, _OPTIONAL, others=_kept)
WITHOUT_OPTIMIZER = parts(_NEEDED, {**_OPTIONAL, "optimizer_states": lambda *_: []}, others=_kept)


def check(found: Any, optimizer: bool = True) -> CheckpointDict:
    """The checkpoint ``found`` in a file, of parts that are what they must be and fit each other; without the
    ``optimizer``, it has none.

    Raises:
        Unfit: naming the first part that is not.
    """
    checkpoint: CheckpointDict = WHOLE(found, "") if optimizer else WITHOUT_OPTIMIZER(found, "")
    options(Config)(found["lab"]["config"], "lab.config")
    step: int = checkpoint["global_step"]
    record: RecordState = checkpoint["callbacks"]["Record"]
    for where, value in (("val_step", record["val_step"]), ("best_step", record["best_step"])):
        if value > step:
            raise Unfit(f"callbacks.Record.{where} is {value:,}, and the run is at step {step:,}")
    if checkpoint["LabData"]["step"] != step:
        raise Unfit(f"LabData.step is {checkpoint['LabData']['step']:,}, and the run is at step {step:,}")
    if checkpoint["LabData"]["position"] < step:
        raise Unfit(f"LabData.position is {checkpoint['LabData']['position']:,} windows after {step:,} steps")
    model = _check_weights(checkpoint)
    vocab_size: int = found["lab"]["config"]["model"]["vocab_size"]
    if "occurring" in checkpoint and len(checkpoint["occurring"]) != vocab_size:
        raise Unfit(f"occurring has {len(checkpoint['occurring']):,} tokens, and the vocabulary {vocab_size:,}")
    checkpoint["optimizer_states"] = (
        [check_optimizer(checkpoint["optimizer_states"][0], model, step)] if optimizer else []
    )
    return checkpoint


def _check_weights(checkpoint: CheckpointDict) -> nn.Module:
    """Compares the weights with the model that the metadata describe. Returns that model, without memory."""
    state = checkpoint["state_dict"]
    names = [name.removeprefix(PREFIX) for name in state]
    try:
        config = ModelConfig(**checkpoint["lab"]["config"]["model"])
        model = tensors.without_memory(config, names)
    except ValueError as error:
        raise Unfit(f"lab.config.model makes no model ({error})") from error
    wanted = {f"{PREFIX}{name}": tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if missing := [name for name in wanted if name not in state]:
        raise Unfit(f"state_dict has no {missing[0]}")
    if extra := [name for name in state if name not in wanted]:
        raise Unfit(f"state_dict has {said(extra[0])}, which its model has not")
    for name, shape in wanted.items():
        dense(state[name], f"state_dict.{name}", shape)
        if state[name].dtype not in FLOATS or state[name].dtype != next(iter(state.values())).dtype:
            raise Unfit(f"state_dict.{name} is in the number format {state[name].dtype}")
    head, embedding = state[f"{PREFIX}head.weight"], state[f"{PREFIX}token_embedding.weight"]
    if config.tie_embeddings and head.data_ptr() != embedding.data_ptr() and not _same(head, embedding):
        raise Unfit("state_dict.model.head.weight is not the token embedding, and lab.config.model says that it is")
    return model


def _same(one: Tensor, other: Tensor) -> bool:
    """Bit for bit: NaN, too, is the same as itself."""
    return torch.equal(one.view(torch.uint8), other.view(torch.uint8))
