"""Which options there is no use in offering, with the choices that have been made: the lab would refuse them, or take
no notice."""

import dataclasses
from typing import Any

from lab.config.schema import Config, to_plain
from lab.dashboard.options.composition import Composed
from lab.dashboard.options.overrides import known_options
from lab.dashboard.options.request import FIXED, FREE

_ONLY_WITH: dict[str, tuple[str, tuple[Any, ...]]] = {
    "tokenizer.vocab_size": ("tokenizer.name", ("bpe",)),
    **dict.fromkeys(("corpus.seed", "corpus.documents"), ("corpus.source", ("grammar",))),
    **dict.fromkeys(("corpus.parts", "corpus.weights"), ("corpus.source", ("mix",))),
    **dict.fromkeys(("corpus.config_name", "corpus.split", "corpus.revision"), ("corpus.source", ("hf",))),
    "corpus.dtype": ("corpus.source", ("bin",)),
    "corpus.path": ("corpus.source", ("path", "bin")),
    "corpus.column": ("corpus.source", ("path", "hf", "mix")),
    "schedule.decay_fraction": ("schedule.name", ("wsd",)),
    "schedule.min_lr_ratio": ("schedule.name", ("cosine", "wsd")),
    "model.rope_base": ("model.position", ("rope",)),
    **dict.fromkeys(("save_every", "keep", "if_save_fails"), ("save", (True,))),
    "optimizer.head_lr": ("model.tie_embeddings", (False,)),
}
"""An option, and the values of another one that it goes with."""


def absent(found: Composed, going_on: bool) -> list[str]:
    """Options and groups that a form need not show."""
    config = found.config
    names = {option for option, (other, values) in _ONLY_WITH.items() if _value(config, other) not in values}
    own = {f"optimizer.{field.name}" for field in dataclasses.fields(config.optimizer)}
    names |= {name for name in known_options() if name.startswith("optimizer.") and name not in own}
    if going_on:
        names |= {*FIXED, "optimizer", "experiment"}
        names |= {n for n in known_options() if n.partition(".")[0] in FIXED and n not in FREE}
    return sorted(names)


def _value(config: Config, option: str) -> Any:
    value: Any = config
    for part in option.split("."):
        value = getattr(value, part)
    return to_plain(value)
