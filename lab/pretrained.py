"""A trained model, wherever it comes from, opened to be used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import checkpoint as checkpoints
from lab.errors import LabError
from lab.model import GPTConfig, GPTModel

_PREFIX = "model."
"""In front of the decoder's names in a checkpoint: it is the attribute of the LightningModule that holds it."""


@dataclass
class Pretrained:
    """A decoder and what is known of it."""

    model: GPTModel
    """In evaluation mode, fp32, on the CPU."""
    source: str
    """Where it was found, for a person to read."""
    card: dict[str, Any] | None = None
    """What the checkpoint says of its run (see ``lab.checkpoint.card``); None for a model of another origin."""
    step: int | None = None
    """Finished optimizer steps; None for a model of another origin."""


def open_pretrained(wanted: str, start_folder: Path, option: str = "checkpoint") -> Pretrained:
    """The model that ``wanted`` names: a .ckpt file, a run folder (its newest usable checkpoint), or ``last``.

    ``option`` is what the user typed it after, for messages.

    Raises:
        LabError: if there is no such model, or it cannot be opened safely.
    """
    path = checkpoints.find(wanted, start_folder, option)
    return from_checkpoint(checkpoints.load(path), path)


def from_checkpoint(found: dict[str, Any], path: Path) -> Pretrained:
    """The decoder in a loaded checkpoint.

    Raises:
        LabError: if the weights do not fit the model that the checkpoint describes.
    """
    card = found["lab"]
    weights = {k.removeprefix(_PREFIX): v for k, v in found["state_dict"].items() if k.startswith(_PREFIX)}
    try:
        model = GPTModel(GPTConfig(**card["config"]["model"]))
        model.load_state_dict(weights)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LabError(f"{path} is not usable: its weights do not fit the model that it describes") from error
    return Pretrained(model.eval(), str(path), card, int(found["global_step"]))
