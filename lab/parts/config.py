"""Which parts a model is made of, and their sizes: GPT-2's options and those of what came after it."""

import difflib
from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_type_hints

from lab.files import user_code
from lab.model import GPTConfig

NORMS = ("layernorm", "rmsnorm")
FEED_FORWARDS = ("gelu", "swiglu", "relu2")
POSITIONS = ("learned", "rope", "alibi", "none")
ATTENTIONS = ("multi_head",)
BLOCKS = ("pre_norm", "post_norm")
CHOICES = {
    "norm": NORMS,
    "feed_forward": FEED_FORWARDS,
    "position": POSITIONS,
    "attention": ATTENTIONS,
    "block": BLOCKS,
}
"""The parts that the lab has, by the option that chooses among them. Each may be a class of the user's own instead."""


@dataclass
class ModelConfig(GPTConfig):
    """The shape of a model and its parts. The defaults are GPT-2's.

    Raises:
        ValueError: if the numbers do not make a model, or there is no such part.
    """

    norm: str = field(default="layernorm", metadata={"choices": NORMS})
    """layernorm, rmsnorm, or FILE.py:CLASS: what brings vectors to one size."""
    feed_forward: str = field(default="gelu", metadata={"choices": FEED_FORWARDS})
    """gelu, swiglu, relu2, or FILE.py:CLASS: what works on each position by itself."""
    position: str = field(default="learned", metadata={"choices": POSITIONS})
    """learned, rope, alibi, none, or FILE.py:CLASS: how the model is told the order of its tokens."""
    attention: str = field(default="multi_head", metadata={"choices": ATTENTIONS})
    """multi_head (with the options below), or FILE.py:CLASS."""
    block: str = field(default="pre_norm", metadata={"choices": BLOCKS})
    """pre_norm, post_norm, or FILE.py:CLASS: what a layer is."""
    n_kv_heads: int | None = None
    """Heads with keys and values of their own, shared by groups of n_heads (grouped-query attention); null: n_heads."""
    head_dim: int | None = None
    """Numbers a head works on; null: emb_dim / n_heads."""
    qk_norm: bool = False
    """Norm queries and keys before they meet."""
    sliding_window: int | None = None
    """Tokens that a position can look at, itself included; null: all before it."""
    hidden_dim: int | None = None
    """Width of the feed-forward network; null: 4 * emb_dim, for swiglu two thirds of that."""
    rope_base: float = 10000.0
    """rope only: the larger, the slower the slowest pair of numbers turns. Long contexts want more."""
    norm_eps: float = 1e-5
    """What keeps a norm from dividing by zero."""

    def __post_init__(self) -> None:
        for option in ("n_kv_heads", "head_dim", "sliding_window", "hidden_dim"):
            if (number := getattr(self, option)) is not None and number < 1:
                raise ValueError(f"{option}={number} must be at least 1")
        super().__post_init__()
        self._check_heads()
        for option, choices in CHOICES.items():
            name = getattr(self, option)
            if name not in choices and not user_code.is_reference(name):
                near = difflib.get_close_matches(str(name), choices, n=1)
                hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(choices)}"
                raise ValueError(f"{option}={name} is no part of the lab: {hint} (or FILE.py:CLASS of your own)")
        if not self.rope_base > 1:
            raise ValueError(f"rope_base={self.rope_base} must be above 1")
        if not self.norm_eps > 0:
            raise ValueError(f"norm_eps={self.norm_eps} must be above 0")

    def _check_heads(self) -> None:
        if self.n_heads % self.kv_heads:
            raise ValueError(
                f"n_heads={self.n_heads} is not divisible by n_kv_heads={self.n_kv_heads}: each key and value serves "
                "as many queries as the others"
            )
        if self.position == "rope" and self.head_size % 2:
            raise ValueError(f"position=rope turns pairs of numbers, and a head has {self.head_size}: make that even")

    @property
    def kv_heads(self) -> int:
        """Heads with keys and values of their own."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def head_size(self) -> int:
        """Numbers a head works on."""
        return self.emb_dim // self.n_heads if self.head_dim is None else self.head_dim


def own_parts(config: GPTConfig) -> dict[str, str]:
    """The options of ``config`` that name a class of the user's own, with what they name."""
    return {o: getattr(config, o) for o in CHOICES if user_code.is_reference(getattr(config, o, None))}


def from_plain(found: Any) -> ModelConfig:
    """The config that somebody's JSON describes, each value of its own type. What GPT-2's shape consists of must be
    there, since a default would be another model, unnoticed; of other parts, files of earlier versions know nothing.

    Raises:
        TypeError: if a value is of another type.
        ValueError: if an option is unknown or missing, or they make no model.
    """
    if not isinstance(found, dict):
        raise TypeError("not an object with options")
    hints = get_type_hints(ModelConfig)
    for name, value in found.items():
        if name not in hints:
            raise ValueError(f"it has an option {name!a:.60}")
        kinds = get_args(hints[name]) or (hints[name],)
        number = float in kinds and isinstance(value, int | float) and not isinstance(value, bool)
        if not number and type(value) not in kinds:
            raise TypeError(f"{name} is {value!r}")
    if absent := [f.name for f in fields(GPTConfig) if f.name not in found]:
        raise ValueError(f"it does not say {absent[0]}")
    return ModelConfig(**found)
