"""A model's weights alone: one safetensors file with the model's shape as metadata. And such files of others, read
with care.

A safetensors file is a JSON header (the name, number format, shape and place of each tensor) and after it the plain
numbers. There is nothing in it that could run, and everything can be checked before a large piece of memory is asked
for: a file cannot claim a tensor that its own length does not bear out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.model import GPTConfig, GPTModel
from lab.parts.config import from_plain
from lab.runs.tensors import with_weights, without_memory
from lab.tokenizers import definition
from lab.tokenizers.contract import Definition

CONFIG_KEY = "gpt_config"
"""Where the shape of the model stands in the metadata, as JSON."""
_TOKENIZER = "tokenizer"
"""Beside the shape: what the tokens mean, unless they are GPT-2's."""

_FORMATS = ("F32", "F16", "BF16")
"""Number formats that become fp32 without a loss."""


class TensorFile:
    """A safetensors file whose header has been read; tensors are read when they are asked for.

    Raises:
        LabError: if it is missing, torn, or no such file.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise LabError(f"there is no file {path}")
        try:
            self._file = safe_open(path, framework="pt")
            slices = {name: self._file.get_slice(name) for name in self._file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            raise LabError(f"{path} is damaged or not a safetensors file ({reason}): get it again") from error
        self.path = path
        self.shapes: dict[str, tuple[int, ...]] = {name: tuple(piece.get_shape()) for name, piece in slices.items()}
        self.formats: dict[str, str] = {name: piece.get_dtype() for name, piece in slices.items()}
        self.metadata: dict[str, str] = self._file.metadata() or {}

    def read(self, name: str) -> Tensor:
        """One tensor in fp32, in memory of its own: the file may change or go afterwards."""
        try:
            found: Tensor = self._file.get_tensor(name)
            return found.to(torch.float32, copy=True)
        except (OSError, SafetensorError) as error:
            raise LabError(f"{self.path} cannot be read ({error})") from error


@dataclass
class Part:
    """A tensor in a file, and how it is to be read."""

    file: TensorFile
    name: str
    """What it is called there."""
    transposed: bool = False
    """Whether rows and columns change places on the way in."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As the model has it."""
        found = self.file.shapes[self.name]
        return found[::-1] if self.transposed else found

    @property
    def formats(self) -> set[str]:
        """The number format in the file."""
        return {self.file.formats[self.name]}

    def read(self) -> Tensor:
        """As the model has it, fp32."""
        found = self.file.read(self.name)
        return found.t().contiguous() if self.transposed else found


@dataclass
class Joined:
    """Several tensors that are one in our model, the first on top."""

    pieces: Sequence[Part]

    @property
    def name(self) -> str:
        """What they are called there."""
        return " with ".join(piece.name for piece in self.pieces)

    @property
    def shape(self) -> tuple[int, ...]:
        """As the model has it; of pieces that don't fit each other, that of the first."""
        shapes = [piece.shape for piece in self.pieces]
        alike = all(shape and shape[1:] == shapes[0][1:] for shape in shapes)
        return (sum(shape[0] for shape in shapes), *shapes[0][1:]) if alike else shapes[0]

    @property
    def formats(self) -> set[str]:
        """The number formats in the file."""
        return {number for piece in self.pieces for number in piece.formats}

    def read(self) -> Tensor:
        """As the model has it, fp32."""
        return torch.cat([piece.read() for piece in self.pieces])


def assemble(
    config: GPTConfig, parts: Mapping[str, Part | Joined], where: Path, called: Mapping[str, str] | None = None
) -> GPTModel:
    """The ``GPTModel`` of ``config`` with the weights ``parts``, by our names; in evaluation mode.

    Nothing is allocated until every tensor is there in the right shape. ``called`` gives the names by which the reader
    of a message knows tensors, where these are not ours.

    Raises:
        LabError: listing what is missing, or has another shape or a number format that we do not read.
    """
    try:
        model = without_memory(config, parts)
    except ValueError as error:
        raise LabError(f"{where}: {error}") from error
    wanted = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    names = called or {}
    if missing := [names.get(name, name) for name in wanted if name not in parts]:
        raise LabError(f"{where} is not complete: it lacks {listed(missing)}")
    if extra := sorted(parts[name].name for name in parts.keys() - wanted.keys()):
        raise LabError(f"{where} holds more than its model with a language-modelling head: {listed(extra)}")
    if other := [
        f"{parts[name].name} is {_by(parts[name].shape)} and should be {_by(shape)}"
        for name, shape in wanted.items()
        if parts[name].shape != shape
    ]:
        raise LabError(f"{where} does not hold the model that it describes: {listed(other, ' and ')}")
    if strange := {number for part in parts.values() for number in part.formats} - set(_FORMATS):
        raise LabError(
            f"{where} has weights in the number format {listed(sorted(strange))}: the lab reads {', '.join(_FORMATS)}"
        )
    return with_weights(config, {name: parts[name].read() for name in wanted})


def with_vocabulary(model: GPTModel, vocab_size: int) -> GPTModel:
    """The model without the rows of its embedding and its head above ``vocab_size``."""
    state = model.state_dict()
    for name in ("token_embedding.weight", "head.weight"):
        state[name] = state[name][:vocab_size].clone()
    return with_weights(replace(model.config, vocab_size=vocab_size), state).train(model.training)


def write_model(model: GPTModel, path: Path, tokenizer: Definition = "gpt2") -> None:
    """Writes the weights under our names, and the shape and the tokenizer as metadata, atomically.

    Raises:
        OSError: if there is no room, say.
    """
    tensors = {name: parameter.detach().cpu().contiguous() for name, parameter in model.named_parameters()}
    described = asdict(model.config) | ({} if tokenizer == "gpt2" else {_TOKENIZER: tokenizer})
    write(tensors, path, {CONFIG_KEY: strict_json.dumps(described)})


def write(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """A safetensors file, atomically. With one entry of metadata, the same model gives the same bytes: the library
    writes several in a random order.

    Raises:
        OSError: if there is no room, say.
    """
    with atomic.making(path) as temporary:
        try:
            save_file(dict(tensors), temporary, dict(metadata))
        except SafetensorError as error:
            raise OSError(str(error)) from error


def open_model(path: Path) -> GPTModel:
    """The model in a file of ``write_model``.

    Raises:
        LabError: if the file is torn, foreign, or says another shape than it has.
    """
    file = TensorFile(path)
    if CONFIG_KEY not in file.metadata:
        raise LabError(
            f"{path} does not say which model its weights belong to: give the folder it lies in, "
            "or a file that `python -m lab.export` wrote"
        )
    try:
        described = strict_json.loads(file.metadata[CONFIG_KEY])
        if isinstance(described, dict):
            described.pop(_TOKENIZER, None)
        config = from_plain(described)
    except (TypeError, ValueError) as error:
        raise LabError(f"{path} describes no model that the lab knows ({error})") from error
    return assemble(config, {name: Part(file, name) for name in file.shapes}, path)


def read_tokenizer(path: Path) -> Definition:
    """The tokenizer in a file of ``write_model``.

    Raises:
        LabError: if the file is torn or foreign.
    """
    try:
        found = strict_json.loads(TensorFile(path).metadata.get(CONFIG_KEY, "{}"))
        return definition.check(found.get(_TOKENIZER, "gpt2") if isinstance(found, dict) else "gpt2", _TOKENIZER)
    except ValueError as error:
        raise LabError(f"{path} describes no tokenizer that the lab knows ({error})") from error


def listed(items: Sequence[str], between: str = ", ", at_most: int = 3) -> str:
    """The first few of ``items`` in words, and how many more there are."""
    more = f"{between}{len(items) - at_most} more" if len(items) > at_most else ""
    return between.join(items[:at_most]) + more


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape) or "a single number"
