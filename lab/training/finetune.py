"""A run that begins with the weights of a trained model: ``init_from=``.

Only weights are taken over. The optimizer, the learning rate and the count of steps begin anew, and dropout is what
the options say.
"""

from dataclasses import asdict, fields
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig

from lab.config import compose
from lab.config.choices import defaults, group_choices
from lab.config.schema import Config, check
from lab.errors import LabError
from lab.interchange.pretrained import Pretrained, open_pretrained, refuse_damaged
from lab.model import GPTConfig, GPTModel
from lab.parts.config import ModelConfig

_FREE = ("context_length", "drop_rate", "activation_checkpointing")
"""Options that may differ: the context may be shorter, and the others leave the weights as they are."""


def open_initial(config: Config, start_folder: Path) -> Pretrained:
    """The model that ``init_from`` names.

    Raises:
        LabError: if there is none, or its weights are damaged or do not fit the options of the model.
    """
    wanted = config.init_from or ""
    found = open_pretrained(wanted, start_folder, "init_from")
    refuse_damaged(found)
    if different := differences(config.model, found.model.config):
        advice = _advice(config.model, found.model.config)
        raise LabError(f"init_from={wanted} does not fit: {'; '.join(different)}; {advice}")
    return found


def differences(asked: GPTConfig, found: GPTConfig) -> list[str]:
    """What keeps the weights of ``found`` from being those of ``asked``, option by option."""
    different = [
        f"model.{f.name} is {_said(getattr(asked, f.name))} and there {_said(getattr(found, f.name))}"
        for f in fields(ModelConfig)
        if f.name not in _FREE and getattr(asked, f.name) != getattr(found, f.name)
    ]
    if asked.context_length > found.context_length:
        different.append(
            f"model.context_length is {asked.context_length} and there {found.context_length}: "
            "it may be shorter, but not longer"
        )
    return different


def _advice(asked: GPTConfig, found: GPTConfig) -> str:
    """What to type, in addition to what was typed, so that the weights of ``found`` fit."""
    if asked.vocab_size != found.vocab_size:
        return "its vocabulary is another one, so that no options fit: choose another model"
    words, then, there = _fitting(found), asdict(asked), asdict(found)
    if words.startswith("model="):
        # What was typed for a single option of the model stands above any preset.
        chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else defaults()
        before = asdict(check(compose.compose_config([f"model={chosen['model']}"])).model)
        typed = {name: value for name, value in then.items() if value != before[name]}
        then = asdict(check(compose.compose_config([words])).model) | typed
    else:
        then |= {name: there[name] for name in (word.removeprefix("model.").split("=")[0] for word in words.split())}
    left = [name for name in there if name not in _FREE and then[name] != there[name]]
    left += ["context_length"] if then["context_length"] > there["context_length"] else []
    rest = " ".join(f"model.{name}={_said(there[name])}" for name in left)
    return " and ".join(filter(None, (words and f"give {words} instead", rest and f"give {rest}")))


def _fitting(found: GPTConfig) -> str:
    """The options with which the weights of ``found`` fit: a preset, if one does; else each by itself."""
    for preset in group_choices("model"):
        if not differences(check(compose.compose_config([f"model={preset}"])).model, found):
            return f"model={preset}"
    options = [f.name for f in fields(ModelConfig) if f.name not in (*_FREE[1:], "vocab_size")]
    standard = ModelConfig()
    needed = [name for name in options if getattr(found, name) != getattr(standard, name)]
    return " ".join(f"model.{name}={_said(getattr(found, name))}" for name in needed)


def _said(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


@torch.no_grad()
def take_weights(model: GPTModel, found: GPTModel) -> None:
    """Copies the weights of ``found`` into ``model``, of the position table as many rows as ``model`` has."""
    theirs = dict(found.named_parameters())
    for name, parameter in model.named_parameters():
        parameter.copy_(theirs[name][: parameter.shape[0]])


def described(config: Config, found: Pretrained) -> str:
    """What the summary at the start of a run says of its weights."""
    text = f"those of {config.init_from}"
    if found.step is not None:
        text += f" after step {found.step:,}"
    had, kept = found.model.config.context_length, config.model.context_length
    own_table = getattr(config.model, "position", "learned") == "learned"
    return text if had == kept or not own_table else f"{text}, with the first {kept:,} of its {had:,} positions"
