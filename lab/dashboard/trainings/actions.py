"""What can be done with a run now: the buttons of the page and the checks of the routes ask the same function."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from lab.config.choices import group_choices
from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Action
from lab.dashboard.store.run_folders import JOB_FILE, Runs
from lab.files.safe_files import read_json
from lab.runs.state import ALIVE, State

_COMMANDS: dict[Action, tuple[State, ...]] = {
    "pause": ("running",),
    "stop": ("running", "paused", "queued"),
    "save": ("running", "paused"),
    "evaluate": ("running", "paused"),
}
"""What a run can be told, and in which states it obeys."""


@dataclass(frozen=True)
class Standing:
    """How a run stands, as far as it decides what can be done with it."""

    state: State
    checkpoints: int
    """Those that a training can go on from: weights alone are none."""
    has_options: bool
    """Whether it has left what it was started with."""
    by_hand: str | None = None
    """An option of it that only a command line can give again."""
    nameless: bool = False
    """Whether no training can go on in its folder, by the folder's name."""


def standing(runs: Runs, state: State, folder: Path) -> Standing:
    """How the run in ``folder`` stands, which is in ``state``."""
    config = runs.config(folder)
    return Standing(
        state,
        sum(not found.weights_only for found in runs.checkpoints_in(folder)),
        bool(config or read_json(folder / JOB_FILE).get("words")),
        by_hand(config),
        "${" in str(folder),  # Hydra would make another folder of it
    )


def possible(told: Standing) -> list[Action]:
    """What can be done with a run that stands like this."""
    return [action for action in get_args(Action) if why_not(action, told) is None]


def check(action: Action, told: Standing) -> None:
    """Raises:
    ApiError: if it cannot be done now, with the reason.
    """
    reason = why_not(action, told)
    if reason is not None:
        raise ApiError(409, reason)


def why_not(action: Action, told: Standing) -> str | None:
    """Why something cannot be done with a run now; None if it can."""
    state = told.state
    if action in _COMMANDS:
        can = " or ".join(_COMMANDS[action])
        return None if state in _COMMANDS[action] else f"the run is {state}: only one that is {can} can {action}"
    if action == "resume":
        return _why_not_resume(told)
    if action == "fork":
        return _why_not_go_on(told)
    if state in ALIVE:
        return f"the run is {state}: stop it first"
    if action == "again":
        if not told.has_options:
            return "the run has not left what it was started with"
        return _typed(told.by_hand)
    return None  # to be deleted


def _why_not_resume(told: Standing) -> str | None:
    state = told.state
    if state == "paused":
        return None
    if state == "finished":
        return "the run is finished: fork it from its last checkpoint, with more steps"
    if state in ALIVE:
        return f"the run is {state}: there is nothing to resume"
    if not told.checkpoints:
        return f"the run is {state} and has kept no checkpoint to go on from: start it again"
    if told.nameless:
        return "its folder has a name that no training goes on in: rename it"
    return _why_not_go_on(told)


def _why_not_go_on(told: Standing) -> str | None:
    if not told.checkpoints:
        return "the run has kept no checkpoint to go on from"
    # The weights that a run began with are in its checkpoints: going on does not ask for them.
    return _typed(None if told.by_hand == "init_from" else told.by_hand)


def _typed(option: str | None) -> str | None:
    return None if option is None else f"the run has {option}=, which is given on a command line only"


def by_hand(config: Mapping[str, Any]) -> str | None:
    """An option in ``config``, a run's, that names code, another file of this machine or another machine: such is
    given on a command line only."""
    corpus, logger, metrics = (config.get(name) for name in ("corpus", "logger", "metrics"))
    if config.get("parts"):
        return "parts"
    if metrics:
        return "metrics"
    if isinstance(corpus, dict) and corpus.get("source") == "hf" and corpus.get("name") not in group_choices("corpus"):
        return "corpus"
    if isinstance(logger, dict) and {"wandb", "mlflow"} & logger.keys():
        return "logger"
    return "init_from" if config.get("init_from") else None
