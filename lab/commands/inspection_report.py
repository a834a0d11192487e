"""What ``python -m lab.inspect`` does: a model's inside on one prompt, saved as numbers and figures."""

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from lab.commands import entry
from lab.commands.options import help_text, own_parts, parse, place
from lab.config.limits import Limit
from lab.errors import LabError
from lab.files.paths import settle_variables, typed_path
from lab.inspection import figures
from lab.inspection.report import examine
from lab.interchange.pretrained import open_pretrained
from lab.runs import ownership
from lab.system.device import torch_device
from lab.tokenizer import utf8

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
    parts: list[str] = field(default_factory=list)
    """A Python file that defines parts of the model, if it has parts of your own; may be given several times."""
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
    entry.run(
        _start,
        lambda: help_text(_HEAD, Options, LIMITS),
        output_matters=False,
    )


def _start() -> None:
    settle_variables()
    options = parse(sys.argv[1:], Options, LIMITS)
    with own_parts(options.parts):
        write_report(options)


def write_report(options: Options) -> None:
    """Looks, writes, and says what was written. The numbers come first: they need no matplotlib.

    Raises:
        LabError: for a prompt that cannot be read, a model that cannot be opened, a folder that cannot be written or
            holds somebody else's files of these names, or if matplotlib is missing.
    """
    if options.format not in ("png", "svg"):
        raise LabError(f"format={options.format} is unknown: choose png or svg")
    _refuse_no_text(options.prompt)
    folder = typed_path(options.to, Path.cwd())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    found = open_pretrained(options.checkpoint, Path.cwd())
    model = found.model.to(torch_device())
    token_ids = found.tokenizer.encode(options.prompt)
    ids = _seen(token_ids, model.config.context_length)
    try:
        report = examine(model, ids, found.tokenizer, options.top_k, options.ablate)
    except ValueError as error:
        raise LabError(str(error)) from error
    source = {
        "checkpoint": found.source,
        "step": found.step,
        "config": dataclasses.asdict(model.config),
        "prompt": options.prompt,
        "left_out": len(token_ids) - len(ids),
    }
    pictures = report.pictures()
    paths = {title: folder / f"{title}.{options.format}" for title in pictures}
    ownership.refuse_taken(folder / "internals.json", list(paths.values()))
    try:
        report.write_json(folder / "internals.json", source)
        print(f"wrote {folder / 'internals.json'}")
        for title, draw in pictures.items():
            figures.save(draw, paths[title])
            print(f"wrote {paths[title]}")
    except OSError as error:
        raise _unwritable(folder, error) from error
    except ModuleNotFoundError as error:
        raise LabError(
            f"the numbers are in {folder}, and the figures need matplotlib: type `pip install matplotlib`, "
            "and then this command again"
        ) from error


def _seen(token_ids: list[int], context_length: int) -> Tensor:
    """The end of the prompt that fits into the context, ``(seq,)``; says so if it is not all of it."""
    if left_out := max(0, len(token_ids) - context_length):
        print(
            f"the prompt has {len(token_ids)} tokens, and the model sees {context_length}: "
            f"the first {left_out} are left out"
        )
    return torch.tensor(token_ids[left_out:])


def _refuse_no_text(prompt: str) -> None:
    if not prompt:
        raise LabError('prompt= is empty: give the model a text to read, such as prompt="The fox"')
    try:
        utf8(prompt)
    except ValueError as error:
        raise LabError(f"prompt= cannot be read: it is {error}") from error


def _unwritable(folder: Path, error: OSError) -> LabError:
    return LabError(f"the folder {folder} cannot be written ({error.strerror}): give another one with to=FOLDER")
