"""What sets a run apart: the words that make its options out of the defaults."""

import re
import shlex
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from lab.config import compose, precision, quoting
from lab.config.choices import defaults, group_names
from lab.config.schema import Config, to_plain

_SELF_EVIDENT = (
    *("resume", "model.vocab_size", "corpus.name", "corpus.source", "corpus.url", "corpus.sha256"),
    *("corpus.dataset", "corpus.revision"),
)
"""What a run says elsewhere, or what the choice of a corpus or a tokenizer implies."""


def words(config: Config) -> list[str]:
    """Where ``config`` differs from the defaults, as one would type it: ``model=small optimizer.lr=0.001``.

    A file that was picked from another folder of ``conf/`` is one word, and only what differs from that file is named
    besides; an experiment is told by what it sets.
    """
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    default = {name: defaults().get(name) for name in group_names()}
    picked = [
        f"{name}={chosen[name]}"
        for name in default
        if name not in ("experiment", "sweep") and chosen.get(name, default[name]) != default[name]
    ]
    before = flat(OmegaConf.to_object(compose.compose_quoted(picked)))
    now = flat(config)
    if now["trainer.precision"] == precision.unsaid(config.trainer, before["trainer.precision"]):
        now["trainer.precision"] = before["trainer.precision"]
    if now["tokenizer.name"] != before["tokenizer.name"]:  # that of the weights in init_from=, which says it
        now = {name: value for name, value in now.items() if not name.startswith("tokenizer.")}
    return picked + [
        f"{'' if name in before else '+'}{name}={_typed(name, value)}"
        for name, value in now.items()
        if (name not in before or before[name] != value) and name not in _SELF_EVIDENT
    ]


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """As ``to_plain``, each value under its full name: ``{"model.emb_dim": 256, ...}``."""
    found: dict[str, Any] = {}
    for name, item in to_plain(value).items():
        found |= flat(item, f"{prefix}{name}.") if isinstance(item, dict) else {f"{prefix}{name}": item}
    return found


def _typed(name: str, value: Any) -> str:
    """A value as it is typed into a shell."""
    if name in quoting.LITERAL_OPTIONS and value is not None:
        return shlex.quote(value)
    return shlex.quote(for_hydra(value))


def for_hydra(value: Any) -> str:
    """A value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(for_hydra, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{for_hydra(item)}' for key, item in value.items())}}}"
    text = str(value)
    return text if re.fullmatch(r"[\w./~+-]+", text) else quoting.quoted("", text).removeprefix("=")
