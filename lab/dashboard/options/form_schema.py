"""The schema of the options for a form: what there is to choose, what may be typed, and what comes of it."""

import dataclasses
import types
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import Field

from lab.config.choices import defaults, first_sentence, group_choices, group_names
from lab.config.corpus_schema import CorpusSource
from lab.config.docs import MISSING, field_docs
from lab.config.limits import LIMITS
from lab.config.optimizer_schema import ADJUST_LR_FNS, optimizers
from lab.config.quoting import LITERAL_OPTIONS
from lab.config.schema import ACCELERATORS, CHECKPOINTS, PRECISIONS, STRATEGIES, Config, ScheduleName, to_plain
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import overrides
from lab.dashboard.options.composition import Composed, composing
from lab.dashboard.schemas import Model, Value
from lab.parts import cost
from lab.system import device
from lab.training import disk_estimate, memory_estimate


class Choice(Model):
    """A file of a group."""

    name: str
    description: str = Field(description="Who should choose it.")


class Group(Model):
    """A group of files, of which one is chosen: ``model=small``."""

    name: str
    choices: list[Choice]
    default: str | None


class Option(Model):
    """One option."""

    name: str
    group: str = Field(description="The part of the name before the dot; empty for options of the whole run.")
    type: Literal["integer", "number", "boolean", "text", "choice", "list"]
    optional: bool = Field(description="Whether it may be null.")
    default: Value
    low: float | None
    high: float | None
    low_open: bool = Field(description="Whether the lowest value itself is out of range.")
    high_open: bool
    choices: list[str] | None
    description: str
    allowed: bool = Field(description="Whether the dashboard may change it.")
    sweepable: bool = Field(description="Whether several values of it can be tried in one sweep.")


class Description(Model):
    """Everything that a form needs."""

    groups: list[Group]
    options: list[Option]


@cache
def description() -> Description:
    """The groups and options of a run."""
    groups = [
        Group(
            name=name,
            choices=[Choice(name=choice, description=first_sentence(name, choice)) for choice in _choices(name)],
            default=defaults().get(name),
        )
        for name in group_names()
        if overrides.allowed(name)
    ]
    with composing:
        return Description(groups=groups, options=list(_options(Config, "")))


def _choices(group: str) -> list[str]:
    # A tokenizer of somebody else's is a file, and which files there are is not for the network to ask.
    known = {"logger": list(overrides.LOGGERS), "tokenizer": [n for n in group_choices("tokenizer") if n != "hf"]}
    return known.get(group) or group_choices(group)


def _options(schema: type, prefix: str) -> Any:
    hints, docs = get_type_hints(schema), field_docs(schema)
    for field in dataclasses.fields(schema):
        name = f"{prefix}{field.name}"
        kind = field.default_factory
        if field.name == "optimizer":
            seen = set()
            for optimizer in optimizers().values():
                for option in _options(optimizer, f"{name}."):
                    if option.name not in seen:
                        seen.add(option.name)
                        yield option
        elif dataclasses.is_dataclass(kind):
            yield from _options(kind, f"{name}.")
        elif not field.name.startswith("_") and field.default_factory is dataclasses.MISSING:
            yield _option(name, field, hints[field.name], docs.get(field.name, ""))


_CHOICES = {
    "trainer.accelerator": list(ACCELERATORS),
    "trainer.precision": list(PRECISIONS),
    "trainer.strategy": list(STRATEGIES),
    "trainer.checkpoints": list(CHECKPOINTS),
    "optimizer.adjust_lr_fn": list(ADJUST_LR_FNS),
    "schedule.name": [choice.name for choice in ScheduleName],
    "corpus.source": [choice.name for choice in CorpusSource],
}
"""Of options whose type is a text, and which take no more than these over the network."""


def _option(name: str, field: "dataclasses.Field[Any]", hint: Any, doc: str) -> Option:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    kind, *_ = (member for member in members if member is not type(None))  # of "a number, or auto" the number
    choices = _CHOICES.get(name) or list(field.metadata.get("choices", ())) or None
    if isinstance(kind, type) and issubclass(kind, Enum):
        choices = [member.name for member in kind]
    plain: Any = {bool: "boolean", int: "integer", float: "number", str: "text"}
    limit = LIMITS.get(name)
    default = None if field.default in (dataclasses.MISSING, MISSING) else to_plain(field.default)
    return Option(
        name=name,
        group=name.rpartition(".")[0],
        type="choice" if choices else plain.get(kind, "list"),
        optional=type(None) in members,
        default=default,
        low=limit.low if limit else None,
        high=limit.high if limit else None,
        low_open=limit.open_low if limit else False,
        high_open=limit.open_high if limit else False,
        choices=choices,
        description=doc,
        allowed=overrides.allowed(name) and name != "model.vocab_size",
        sweepable=name not in (*LITERAL_OPTIONS, "save") and (choices is not None or kind in plain),
    )


class Sizes(Model):
    """What a model of this shape takes."""

    parameters: int
    without_embeddings: int
    memory: dict[str, int] = Field(description="An estimate of what training takes, in bytes, by kind.")
    checkpoint_bytes: int = Field(description="About how large a checkpoint is: weights and optimizer.")
    checkpoints: int = Field(description="With save=true, how many of these are kept at most.")
    snapshot_bytes: int = Field(description="About how large the weights alone are.")
    snapshots: int = Field(description="With save=true, at how many moments these are kept at most.")


def sizes(config: Config) -> Sizes:
    """Counted, and nothing is built for it."""
    memory = memory_estimate.training_memory(config, device.choose(config.trainer.accelerator))
    kept = disk_estimate.kept(config)
    return Sizes(
        parameters=cost.parameters(config.model),
        without_embeddings=cost.inner_parameters(config.model),
        memory=memory,
        checkpoint_bytes=kept.whole_bytes,
        checkpoints=kept.whole,
        snapshot_bytes=kept.snapshot_bytes,
        snapshots=kept.snapshots,
    )


def compose(
    given: dict[str, Value], check: Callable[[dict[str, Value]], Composed]
) -> tuple[Composed | None, list[tuple[str | None, str]]]:
    """The configuration, or what is wrong with it: option and sentence, each option by itself where that tells more.

    Args:
        given: options that differ from what the run begins with.
        check: makes a configuration of some of them; raises ApiError.
    """
    try:
        return check(given), []
    except ApiError as whole:
        told = whole
    found: dict[str, str] = {}

    def wrong(parts: dict[str, Value], key: str) -> bool:
        try:
            check(parts)
        except ApiError as error:
            # Only what concerns the option: a text that needs its path, say, is complained of there.
            if error.field in (key, None) or key in error.message or key.startswith("corpus"):
                found[error.field or key] = error.message
                return True
        return False

    # The groups first: an option may exist only with the file that is chosen.
    groups = {key: value for key, value in given.items() if key in group_names()}
    # Without these, corpus=text and corpus=mix are nothing.
    text = {key: value for key, value in given.items() if key in ("corpus.path", "corpus.parts")}
    right = {key: value for key, value in groups.items() if not wrong({key: value, **text}, key)}
    for key, value in given.items():
        if key not in groups:
            wrong({**right, **text, key: value}, key)
    return None, list(found.items()) or [(told.field, told.message)]
