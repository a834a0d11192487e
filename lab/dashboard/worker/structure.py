"""What the model in a checkpoint is built of: enough to draw it."""

import math
from pathlib import Path
from typing import Any

from pydantic import Field

from lab.dashboard.schemas import Model
from lab.files.safe_files import readable
from lab.model import GPTConfig
from lab.parts.build import outline
from lab.parts.config import CHOICES, ModelConfig, own_parts
from lab.runs import checkpoint
from lab.runs.tensors import n_blocks

_FIRST_BLOCK = "blocks.0."
_MOST = 400
"""Parameters that are told. The lab's own models have some twenty."""


class Parameter(Model):
    """A tensor that is learnt."""

    name: str = Field(description="In the model; blocks.* stands for each layer.")
    shape: list[int]


class Structure(Model):
    """A model's parts and sizes."""

    emb_dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    hidden_dim: int | None = Field(description="Units of the feed-forward network; none where it has no last matrix.")
    context_length: int
    vocab_size: int
    norm: str
    feed_forward: str
    position: str
    attention: str
    block: str
    qk_norm: bool
    sliding_window: int | None
    rope_base: float
    tied: bool = Field(description="Whether the head's matrix is the token embedding's.")
    own: list[str] = Field(description="Options that name a class of the user's own.")
    parameters: list[Parameter] = Field(description="Of one layer, and of what is not in layers.")
    total: int = Field(description="Numbers that are learnt, in all layers.")


def of_model(config: GPTConfig) -> dict[str, Any]:
    """The structure of a model of this shape, as the plain values of a ``Structure``: what it learns, and not what a
    model made ready to generate has made of it (see ``lab/inference/weight_format.py``)."""
    return _structure(config, {name: list(tensor.shape) for name, tensor in outline(config).named_parameters()})


def of_file(path: Path) -> dict[str, Any]:
    """The structure of a model that cannot be made here, since parts of it are somebody's own code.

    Raises:
        LabError: if the checkpoint cannot be opened safely.
    """
    config, shapes = checkpoint.read_shapes(path)
    if config.tie_embeddings:
        shapes.pop("head.weight", None)
    return _structure(config, shapes)


def _structure(given: GPTConfig, shapes: dict[str, list[int]]) -> dict[str, Any]:
    config = given if isinstance(given, ModelConfig) else ModelConfig(**vars(given))
    told = [name for name in shapes if not name.startswith("blocks.") or name.startswith(_FIRST_BLOCK)][:_MOST]
    hidden = shapes.get(f"{_FIRST_BLOCK}feed_forward.project.weight", [0, None])[-1]
    parts = {name: readable(getattr(config, name)) for name in CHOICES}
    sizes = ("emb_dim", "n_heads", "context_length", "vocab_size", "qk_norm", "sliding_window", "rope_base")
    return {name: getattr(config, name) for name in sizes} | {
        **parts,
        "n_layers": n_blocks(shapes),
        "n_kv_heads": config.kv_heads,
        "head_dim": config.head_size,
        "hidden_dim": hidden,
        "tied": config.tie_embeddings,
        "own": list(own_parts(config)),
        "parameters": [
            {"name": readable(name.replace(_FIRST_BLOCK, "blocks.*.", 1)), "shape": shapes[name]} for name in told
        ],
        "total": sum(math.prod(shape) for shape in shapes.values()),
    }
