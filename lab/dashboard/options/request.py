"""One request for whatever can be started: a run, one that goes on from a checkpoint, a sweep, or a sweep of runs that
all go on from it. What the form shows, the command to copy and what is started are made of the same words."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lab.config.schema import Config, to_plain
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import overrides
from lab.dashboard.options.composition import Composed
from lab.dashboard.schemas import Model, Value
from lab.dashboard.settings import Settings

MOST_RUNS = 256
"""Of one sweep."""

FREE = ("model.drop_rate", "model.activation_checkpointing")
"""What a run that goes on may change of its model."""
FIXED = ("corpus", "tokenizer", "model")
"""Groups that otherwise belong to its weights, or to its place in the text."""


class Parent(Model):
    """Where a run goes on from."""

    run: str = Field(description="The id of a run.")
    checkpoint: str = Field(description="The id of a checkpoint of that run.")


class RunRequest(Model):
    """A run to start; or several, one for each combination of the values that are swept over."""

    overrides: dict[str, Value] = Field(
        default_factory=dict,
        description="Options that differ from the defaults; with a parent, from its own.",
    )
    sweep: dict[str, list[str | int | float | bool]] = Field(
        default_factory=dict, max_length=8, description="Options, and the values that each shall take."
    )
    parent: Parent | None = Field(default=None, description="Go on from there, in a folder of its own.")
    name: str | None = Field(default=None, max_length=120)
    tags: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(default_factory=list, max_length=20)
    confirmed: bool = Field(
        default=False,
        description="Start it even if it will probably not fit into the memory that is free: it is refused if not.",
    )

    @property
    def runs(self) -> int:
        """How many runs it asks for."""
        return math.prod(map(len, self.sweep.values()))

    def jobs(self) -> list[dict[str, Value]]:
        """The options of each run."""
        return [
            {**self.overrides, **dict(zip(self.sweep, values, strict=True))} for values in product(*self.sweep.values())
        ]


@dataclass(frozen=True)
class Origin:
    """The checkpoint that a run goes on from, as the server has found it."""

    path: Path
    step: int | None
    """Optimizer steps that are finished there."""
    inherited: Callable[[Sequence[str]], list[str]]
    """What it brings along, in Hydra's grammar, for all that was not among the words given."""


def words(request: RunRequest, settings: Settings, origin: Origin | None) -> list[str]:
    """What lab.train is to be told, but for the folder.

    Raises:
        ApiError: naming the option that cannot be given, or not with this value.
    """
    if request.runs > MOST_RUNS:
        raise ApiError(422, f"these are more combinations than the {MOST_RUNS} that one sweep may have", "sweep")
    going_on = [f"resume={origin.path}"] if origin else []
    fixed = {key: value for key, value in request.overrides.items() if key not in request.sweep}
    said = [*going_on, *overrides.naming_words(request.name, request.tags, None), *overrides.words(fixed, settings)]
    if request.runs > 1:
        return ["-m", *said, *overrides.sweep_words(request.sweep, settings)]
    overrides.sweep_words(request.sweep, settings)  # refuses an option without values
    return [*said, *overrides.words({key: values[0] for key, values in request.sweep.items()}, settings)]


def compose(given: Mapping[str, Value], settings: Settings, origin: Origin | None) -> Composed:
    """Every option of a single run.

    Raises:
        ApiError: naming the first option that does not fit.
    """
    if origin is None:
        return overrides.check_together(given, settings)
    found = overrides.check_inherited(origin.inherited(overrides.words(given, settings)), given, settings)
    if given:
        _refuse_another_run(compose({}, settings, origin).config, found.config, given)
    return found


def check(request: RunRequest, settings: Settings, origin: Origin | None) -> Composed:
    """The options without the values that are swept over, once each of these has been tried.

    Raises:
        ApiError: naming the first option that does not fit.
    """
    words(request, settings, origin)
    for key, values in request.sweep.items():
        for value in values:
            found = compose({**request.overrides, key: value}, settings, origin)
    return compose(request.overrides, settings, origin) if request.runs > 1 or not request.sweep else found


def _refuse_another_run(then: Config, now: Config, given: Mapping[str, Value]) -> None:
    """What the training would refuse once it has opened the checkpoint (see ``lab.runs.checkpoint``)."""
    for group in FIXED:
        before, after = to_plain(getattr(then, group)), to_plain(getattr(now, group))
        for name in after:
            option = f"{group}.{name}"
            if before[name] != after[name] and option not in FREE:
                said = option if option in given else group
                raise ApiError(
                    422,
                    f"{said} cannot change in a run that goes on ({option} was {before[name]} and is {after[name]}): "
                    "leave it, or start from nothing",
                    said,
                )
    if then.optimizer._target_ != now.optimizer._target_:
        raise ApiError(
            422, "optimizer cannot change in a run that goes on: what the old one remembers is of no use", "optimizer"
        )
