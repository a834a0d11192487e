"""A trained model, wherever it comes from, opened to be used."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from lab.errors import LabError
from lab.files.paths import typed_path
from lab.interchange import hf_tokenizer, hub, huggingface, weights
from lab.model import GPTModel
from lab.parts.config import ModelConfig
from lab.runs import checkpoint as checkpoints
from lab.runs import tensors
from lab.runs.checkpoint_schema import PREFIX, CheckpointDict, Metadata, RecordState
from lab.tokenizer import Tokenizer
from lab.tokenizers import definition
from lab.tokenizers.contract import Definition, TextTokenizer


@dataclass
class Pretrained:
    """A decoder and what is known of it."""

    model: GPTModel
    """In evaluation mode, fp32, on the CPU."""
    source: str
    """Where it was found, for a person to read."""
    metadata: Metadata | None = None
    """What the checkpoint says of its run (see ``Metadata``); None for a model of another origin."""
    step: int | None = None
    """Finished optimizer steps; None for a model of another origin."""
    figures: dict[str, float] = field(default_factory=dict)
    """The last evaluation up to that step (val_step, val_loss, val_perplexity, val_bits_per_byte); tokens_seen."""
    path: Path | None = None
    """The checkpoint file; None for a model of another origin."""
    tokenizer: TextTokenizer = field(default_factory=Tokenizer)
    """What its tokens mean."""
    occurring: Tensor | None = None
    """``(vocab_size,)`` bool: the tokens that its training text had, which is what it writes with; None: any."""


def open_pretrained(wanted: str, start_folder: Path, option: str = "checkpoint") -> Pretrained:
    """The model that ``wanted`` names.

    A .ckpt file, a run folder (its newest usable checkpoint), or ``last``; a .safetensors file of ``lab.export``; a
    Hugging Face folder; or the name of a model on the hub, such as ``gpt2`` or ``owner/name``. What exists as a path
    is taken as a path. ``option`` is what the user typed it after, for messages.

    Raises:
        LabError: if there is no such model, or it cannot be opened safely.
    """
    target = typed_path(wanted, start_folder)
    if target.is_file() and target.suffix == ".safetensors":
        model = weights.open_model(target)
        tokenizer = _made(weights.read_tokenizer(target), target)
        if tokenizer.name == Tokenizer.name:
            model = _without_padding(model, None, str(target))
        else:
            _refuse_other_size(target, model.config.vocab_size, tokenizer)
        return Pretrained(model, str(target), tokenizer=tokenizer)
    if huggingface.is_folder(target):
        return _from_folder(target, str(target))
    if not target.exists() and hub.is_name(wanted, start_folder):
        return _from_folder(hub.find(wanted, option), wanted)
    path, found = checkpoints.find_and_load(wanted, start_folder, option)
    return from_checkpoint(found, path)


def open_tokenizer(wanted: str, start_folder: Path, option: str = "checkpoint") -> TextTokenizer:
    """The tokenizer of the model that ``open_pretrained`` would open, without its weights.

    Raises:
        LabError: as ``open_pretrained``.
    """
    target = typed_path(wanted, start_folder)
    if target.is_file() and target.suffix == ".safetensors":
        return _made(weights.read_tokenizer(target), target)
    if huggingface.is_folder(target):
        return hf_tokenizer.own(target) or Tokenizer()
    if not target.exists() and hub.is_name(wanted, start_folder):
        if wanted in hub.GPT2:
            return Tokenizer()
        return hf_tokenizer.own(hub.find(wanted, option)) or Tokenizer()
    path = checkpoints.find(wanted, start_folder, option)
    return _made(checkpoints.read_metadata(path)[0]["tokenizer"], path)


def _made(described: Definition, path: Path) -> TextTokenizer:
    try:
        return definition.make(described)
    except LabError as error:
        raise LabError(f"{path} is not usable: {error}") from error


def _refuse_other_size(path: Path, n_rows: int, tokenizer: TextTokenizer) -> None:
    if tokenizer.name == Tokenizer.name:
        hf_tokenizer.refuse_other_size(path, n_rows)
    elif n_rows != tokenizer.vocab_size:
        raise LabError(
            f"{path} has a vocabulary of {n_rows:,} tokens, and its tokenizer one of {tokenizer.vocab_size:,}: they do "
            "not belong together; use another one"
        )


def _from_folder(folder: Path, source: str) -> Pretrained:
    model = huggingface.open_folder(folder)
    tokenizer = hf_tokenizer.own(folder)
    model = _without_padding(model, folder, source, tokenizer)
    if tokenizer is None:
        hf_tokenizer.refuse_other(folder, model.config.vocab_size)
        return Pretrained(model, source)
    _refuse_other_size(folder, model.config.vocab_size, tokenizer)
    return Pretrained(model, source, tokenizer=tokenizer)


def _without_padding(
    model: GPTModel, folder: Path | None, source: str, tokenizer: TextTokenizer | None = None
) -> GPTModel:
    """The model without the rows that only fill up its vocabulary: nothing should give them a probability."""
    n_rows = model.config.vocab_size
    words = hf_tokenizer.without_padding(folder, n_rows) if tokenizer is None else min(n_rows, tokenizer.vocab_size)
    if words == n_rows:
        return model
    print(
        f"note: of the {n_rows:,} rows of the vocabulary of {source}, the last {n_rows - words:,} are padding that has "
        f"no token: they are left out, and {words:,} stay",
        file=sys.stderr,
    )
    return weights.with_vocabulary(model, words)


def refuse_damaged(found: Pretrained) -> None:
    """Keeps weights that nothing can be done with from being passed on. (Those who look at a model may look at these.)

    Raises:
        LabError: if there is NaN or infinity among them.
    """
    for name, parameter in found.model.named_parameters():
        if not tensors.within(parameter):
            raise LabError(f"{found.source} is damaged: there is NaN or infinity in its weights ({name}); take another")


def from_checkpoint(found: CheckpointDict, path: Path) -> Pretrained:
    """The decoder in a loaded checkpoint.

    Raises:
        LabError: if its vocabulary is not the tokenizer's.
    """
    metadata = found["lab"]
    state = {name.removeprefix(PREFIX): tensor.float() for name, tensor in found["state_dict"].items()}
    config = ModelConfig(**metadata["config"]["model"])
    tokenizer = _made(metadata["tokenizer"], path)
    _refuse_other_size(path, config.vocab_size, tokenizer)
    model = tensors.with_weights(config, state)
    marks = found.get("occurring")
    occurring = None if marks is None else marks.bool()
    return Pretrained(model, str(path), metadata, found["global_step"], _figures(found), path, tokenizer, occurring)


def _figures(found: CheckpointDict) -> dict[str, float]:
    """What the checkpoint knows of how the model did."""
    record: RecordState = found["callbacks"]["Record"]
    figures = {**record["val"], "val_step": record["val_step"]} if record["val"] else {}
    figures["tokens_seen"] = found["LabData"]["position"] * found["lab"]["config"]["model"]["context_length"]
    return figures
