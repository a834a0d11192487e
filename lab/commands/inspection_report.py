"""A model's inside on one prompt, saved as numbers and figures: what ``python -m lab.inspect`` does."""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab.commands import entry
from lab.commands.options import help_text, parse, place
from lab.config.schema import Limit
from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.files.paths import typed_path
from lab.inspection import figures
from lab.inspection.internals import ablate_heads, look, neighbors, to_plain
from lab.interchange.pretrained import open_pretrained
from lab.runs import ownership
from lab.system.device import torch_device
from lab.tokenizer import Tokenizer

_HEAD = """\
Looks inside a model while it reads a prompt, and saves what it sees: figures, and all the numbers in internals.json.

    python -m lab.inspect checkpoint=last prompt="The fox and the crow" to=FOLDER

Attention of every head, length of the residual stream, activations of each layer, logit lens, loss of each token, what
each head is worth, neighbours of each token's embedding. lab/inspection/internals.py says what each number means; its
names are those of internals.json, which has also: checkpoint, step, config, prompt, left_out (tokens cut off in front),
tokens (their texts), head_ablation, neighbors (token id to [token id, cosine]) and vocabulary (the text of each id).
"""


@dataclass
class Options:
    """What can be given as option=value."""

    prompt: str
    """The text to read. Of one that is longer than the context, the end is taken."""
    checkpoint: str = place("last")
    """A .ckpt file, a run folder, `last` for the newest under outputs/, a .safetensors file of lab.export, a Hugging
    Face folder, or a name on the hub, such as gpt2."""
    to: str = place("outputs/inspect")
    """Folder for the files; it is made, and what this command has left there before is replaced."""
    top_k: int = 5
    """Alternatives at each position, and neighbours of each token."""
    format: str = "png"
    """Of the figures: png or svg."""
    ablate: bool = True
    """Switch off each head in turn: the longest part of the work."""


LIMITS = {"top_k": Limit(1)}


def main() -> None:
    """The command line."""
    entry.run_composing(
        lambda: portray(parse(sys.argv[1:], Options, LIMITS)),
        lambda: help_text(_HEAD, Options, LIMITS),
        output_matters=False,
    )


def portray(options: Options) -> None:
    """Looks, writes, and says what was written. The numbers come first: they need no matplotlib.

    Raises:
        LabError: for a prompt that cannot be read, a model that cannot be opened, a folder that cannot be written or
            holds somebody else's files of these names, or if matplotlib is missing.
    """
    if options.format not in ("png", "svg"):
        raise LabError(f"format={options.format} is unknown: choose png or svg")
    token_ids = _encode(options.prompt)
    folder = typed_path(options.to, Path.cwd())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    found = open_pretrained(options.checkpoint, Path.cwd())
    model = found.model.to(torch_device())
    left_out = max(0, len(token_ids) - model.config.context_length)
    if left_out:
        print(
            f"the prompt has {len(token_ids)} tokens, and the model sees {model.config.context_length}: "
            f"the first {left_out} are left out"
        )
    ids = torch.tensor(token_ids[left_out:])
    try:
        seen = look(model, ids, top_k=options.top_k)
    except ValueError as error:
        raise LabError(str(error)) from error
    changes = ablate_heads(model, ids) if options.ablate else None
    near = {token: neighbors(model, token, options.top_k) for token in dict.fromkeys(ids.tolist())}
    words = [_name(token) for token in ids.tolist()]
    mentioned = {*near, *(token for pairs in near.values() for token, _ in pairs)}
    mentioned.update(seen.logit_lens.top_token_ids.flatten().tolist())
    everything: dict[str, Any] = {
        "checkpoint": found.source,
        "step": found.step,
        "config": dataclasses.asdict(model.config),
        "prompt": options.prompt,
        "left_out": left_out,
        "tokens": words,
        **vars(seen),
        "head_ablation": changes,
        "neighbors": near,
        "vocabulary": {token: _name(token) for token in sorted(mentioned)},
    }
    pictures: dict[str, Callable[[], Any]] = {
        "attention": lambda: figures.attention(seen, words),
        "residual_norms": lambda: figures.residual_norms(seen, words),
        "activations": lambda: figures.activations(seen),
        "logit_lens": lambda: figures.logit_lens(seen, words, _name),
        "token_losses": lambda: figures.token_losses(seen, words),
        "neighbors": lambda: figures.neighbors(near, _name),
    }
    if changes is not None:
        pictures["head_ablation"] = lambda: figures.head_ablation(changes)
    ownership.refuse_taken(folder / "internals.json", [folder / f"{title}.{options.format}" for title in pictures])
    try:
        _write_json(folder / "internals.json", everything)
        print(f"wrote {folder / 'internals.json'}")
        for title, draw in pictures.items():
            path = folder / f"{title}.{options.format}"
            figures.save(draw, path)
            print(f"wrote {path}")
    except OSError as error:
        raise _unwritable(folder, error) from error
    except ModuleNotFoundError as error:
        raise LabError(
            f"the numbers are in {folder}, and the figures need matplotlib: type `pip install matplotlib`, "
            "and then this command again"
        ) from error


def _encode(prompt: str) -> list[int]:
    try:
        token_ids = Tokenizer().encode(prompt)
    except ValueError as error:
        raise LabError(f"prompt= cannot be read: it is {error}") from error
    if not token_ids:
        raise LabError('prompt= is empty: give the model a text to read, such as prompt="The fox"')
    return token_ids


def _name(token: int) -> str:
    """A token's text. Bytes that are only part of a character are written as \\xf0; an id that pads the vocabulary to a
    round size has no text."""
    tokenizer = Tokenizer()
    if token >= tokenizer.vocab_size:
        return f"<{token}>"
    return tokenizer.decode_bytes([token]).decode("utf-8", errors="backslashreplace")


def _unwritable(folder: Path, error: OSError) -> LabError:
    return LabError(f"the folder {folder} cannot be written ({error.strerror}): give another one with to=FOLDER")


def _write_json(path: Path, value: dict[str, Any]) -> None:
    with atomic.writing(path) as file:
        for piece in _pieces(value):
            file.write(piece.encode("utf-8"))
        file.write(b"\n")


def _pieces(value: Any, indent: str = "\n") -> Iterator[str]:
    """JSON text in pieces of at most a matrix: as Python lists, the attention of a large model would fill gigabytes."""
    deeper = indent + "  "
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        yield "{"
        for number, (key, one) in enumerate(value.items()):
            yield f"{',' if number else ''}{deeper}{strict_json.dumps(str(key))}: "
            yield from _pieces(one, deeper)
        yield indent + "}"
    elif (isinstance(value, Tensor) and value.ndim > 2) or (
        isinstance(value, list) and value and dataclasses.is_dataclass(value[0])
    ):
        yield "["
        for number, one in enumerate(value):
            yield f"{',' if number else ''}{deeper}"
            yield from _pieces(one, deeper)
        yield indent + "]"
    else:
        yield strict_json.dumps(to_plain(value))
