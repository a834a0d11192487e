"""Writes a trained model for others to open: ``python -m lab.export checkpoint=last to=my-model``."""

import contextlib
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.commands import entry
from lab.commands.options import help_text, own_parts, parse, place
from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import settle_variables, typed_path
from lab.interchange import hf_tokenizer, huggingface, model_card, weights
from lab.interchange.pretrained import Pretrained, open_pretrained, refuse_damaged

_HEAD = """\
Writes a trained model for others to open: as a Hugging Face folder, or its weights alone.

    python -m lab.export checkpoint=last to=my-model
    python -m lab.export checkpoint=last to=my-model.safetensors
"""

FORMATS = ("huggingface", "safetensors")
_FOREIGN = re.compile(
    r"\.(bin|ckpt|ggml|gguf|gz|h5|hdf5|json|keras|mlmodel|msgpack|np[yz]|onnx|pb|pickle|pkl|pt|pte|pth|tar|tgz|tflite|zip)"
)
"""Endings that somebody types who wants a file of another kind, and not a folder with that name."""


@dataclass
class Options:
    """What can be given as option=value."""

    to: str
    """Where to: a new folder, or a .safetensors file."""
    checkpoint: str = place("last")
    """A .ckpt file, a run folder, `last` for the newest under outputs/, a .safetensors file of lab.export, a Hugging
    Face folder, or a name on the hub, such as gpt2."""
    parts: list[str] = field(default_factory=list)
    """A Python file that defines parts of the model, if it has parts of your own; may be given several times."""
    format: str | None = None
    """`huggingface`: a folder that AutoModelForCausalLM and AutoTokenizer open. `safetensors`: one file with the
    weights under the lab's own names and the model's shape as metadata. Left out, the ending of `to` decides."""


def main() -> None:
    """The command line."""
    entry.run(
        _start,
        lambda: help_text(_HEAD, Options),
        output_matters=False,
    )


def _start() -> None:
    settle_variables()
    options = parse(sys.argv[1:], Options)
    with own_parts(options.parts):
        export(options, Path.cwd())


def export(options: Options, start_folder: Path) -> None:
    """Writes what ``options`` ask for and says what it was.

    Raises:
        LabError: if there is no such model, or no place for it.
    """
    if not options.to:
        raise LabError("to= is empty: give a new folder, or a file that ends with .safetensors")
    format_ = _format(options)
    target = typed_path(options.to, start_folder)
    _refuse_taken(target, format_)
    found = open_pretrained(options.checkpoint, start_folder)
    refuse_damaged(found)
    write = write_folder if format_ == "huggingface" else write_file
    try:
        write(found, target)
    except OSError as error:
        raise LabError(
            f"{target} could not be written ({error.strerror or error}), and nothing was left there: "
            "give another place with to="
        ) from error
    print(f"{found.source}: {found.model.num_parameters():,} parameters written to {target}")


def write_folder(found: Pretrained, folder: Path) -> None:
    """A Hugging Face folder with weights, tokenizer and model card; all of it or nothing.

    Raises:
        OSError: if there is no room, say.
    """
    with atomic.making(folder) as made:
        made.mkdir()
        huggingface.write_model(found.model, made)
        _name_end_of_text(made, found.tokenizer.endoftext)
        hf_tokenizer.write(made, found.model.config.context_length, found.tokenizer)
        atomic.write_text(made / "README.md", model_card.text(found, folder.name))


def _name_end_of_text(folder: Path, token: int) -> None:
    """Puts the tokenizer's own end of text into the files that say where a generation begins and ends."""
    for name in (huggingface.CONFIG_FILE, "generation_config.json"):
        path = folder / name
        found = huggingface.read_json(path)
        atomic.write_json(path, {key: token if key.endswith("_token_id") else value for key, value in found.items()})


def write_file(found: Pretrained, path: Path) -> None:
    """The weights alone.

    Raises:
        OSError: if there is no room, say.
    """
    weights.write_model(found.model, path, found.tokenizer.definition)


def _format(options: Options) -> str:
    """What was asked for, or else what the ending says."""
    ending = Path(options.to).suffix.lower()
    if options.format is None and _FOREIGN.fullmatch(ending):
        raise LabError(
            f"to={options.to}: {ending} is a format that is not written here; a name that ends with .safetensors makes "
            "a file of weights, one without an ending a Hugging Face folder"
        )
    found = options.format
    if found is None:
        found = "safetensors" if ending == ".safetensors" else "huggingface"
    if found not in FORMATS:
        raise LabError(f"format={found} is unknown: choose one of {', '.join(FORMATS)}")
    return found


def _refuse_taken(target: Path, format_: str) -> None:
    taken: Any = target.exists() or target.is_symlink()
    if format_ == "huggingface" and target.is_dir():
        with contextlib.suppress(OSError):
            taken = any(target.iterdir())
    if taken:
        raise LabError(f"to={target} is there already: it is left as it is; choose another name, or remove it first")


if __name__ == "__main__":
    main()
