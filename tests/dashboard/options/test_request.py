"""Each field of a request, in a run from nothing, one that goes on, a sweep, and a sweep of runs that go on."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY

from lab.config import compose as typed
from lab.config import quoting
from lab.config.schema import check as checked
from lab.config.schema import to_plain
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import request
from lab.dashboard.options.command_line import command_line
from lab.dashboard.options.request import Origin, Parent, RunRequest
from lab.dashboard.settings import Settings
from lab.training.inherited_options import inherit

HERE = Settings(Path("/nowhere"), "")
PARENT = [*TINY, "optimizer=sgd", "optimizer.momentum=0.5", "save=true", "save_every=20", "tokenizer=bytes"]
CONFIG = to_plain(checked(typed.compose_config(PARENT)))


def inherited(words: Any) -> list[str]:
    return inherit(CONFIG, {word.partition("=")[0]: word.partition("=")[2] for word in words}).words


ORIGIN = Origin(Path("/nowhere/outputs/a b/checkpoints/step-00000003.ckpt"), 3, inherited)
SWEEP: dict[str, list[Any]] = {"seed": [1, 2], "schedule.name": ["wsd", "constant"]}
FIELDS: dict[str, Any] = {
    "save": False,
    "optimizer.lr": 2e-3,
    "trainer.max_steps": 40,
    "sample.prompt": "it's, 1e3",
    "eval_every": 7,
    "model.drop_rate": 0.25,
    "trainer.accelerator": "cpu",
}
"""Options that all four take, also such as switch off what the parent did."""


def ask(kind: str, overrides: dict[str, Any]) -> tuple[RunRequest, Origin | None]:
    forks = "fork" in kind
    parent = Parent(run="r", checkpoint="c") if forks else None
    sweep = SWEEP if "sweep" in kind else {}
    return RunRequest(overrides=overrides, sweep=sweep, parent=parent), ORIGIN if forks else None


def as_lab_train_reads(line: str, origin: Origin | None) -> dict[str, Any]:
    """The options of what a line starts, its first combination if it is a sweep; read without the dashboard."""
    words = [word for word in shlex.split(line)[3:] if word != "-m"]
    mine = inherited([word for word in words if not word.startswith("resume=")]) if origin else []
    first = [word.partition(",")[0] if word.partition("=")[0] in SWEEP else word for word in words]
    return dict(to_plain(checked(typed.compose_quoted([*mine, *quoting.quote_literals(first)]))))


def at(config: Any, option: str) -> Any:
    for part in option.split("."):
        config = config[part]
    return config


@pytest.mark.parametrize("kind", ["train", "fork", "sweep", "fork sweep"])
def test_every_option_takes_effect_whatever_is_started(kind: str) -> None:
    given, origin = ask(kind, FIELDS)
    words = request.words(given, HERE, origin)
    assert (words[0] == "-m") == ("sweep" in kind)
    assert (f"resume={ORIGIN.path}" in words) == ("fork" in kind)
    line = command_line(words)
    assert line is not None
    started, shown = as_lab_train_reads(line, origin), to_plain(request.check(given, HERE, origin).config)
    for option, value in FIELDS.items():
        assert at(started, option) == value, option
        assert at(shown, option) == value, option
    if "sweep" in kind:
        assert [at(started, option) for option in SWEEP] == [values[0] for values in SWEEP.values()]
        assert [job["seed"] for job in given.jobs()] == [1, 1, 2, 2]


def test_a_fork_shows_what_its_parent_did_and_can_switch_it_off() -> None:
    then = request.compose({}, HERE, ORIGIN)
    assert (then.config.save, then.config.save_every, then.choices["optimizer"]) == (True, 20, "sgd")
    assert then.choices["tokenizer"] == "bytes"
    now = request.compose({"save": False}, HERE, ORIGIN).config
    assert (now.save, now.save_every) == (False, None)
    assert request.compose({"save_every": None}, HERE, ORIGIN).config.save_every is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("model.n_layers", 3), ("model", "small"), ("corpus", "verdict"), ("tokenizer", "gpt2"), ("optimizer", "adamw")],
)
def test_what_belongs_to_the_weights_cannot_change_with_them(option: str, value: Any) -> None:
    with pytest.raises(ApiError, match="cannot change in a run that goes on") as refused:
        request.compose({option: value}, HERE, ORIGIN)
    assert refused.value.field == option


def test_a_sweep_of_a_single_combination_is_a_run() -> None:
    given = RunRequest(overrides={"seed": 3}, sweep={"seed": [1], "optimizer.lr": [0.5]})
    assert request.words(given, HERE, None) == ["seed=1", "optimizer.lr=0.5"]
    given = RunRequest(overrides={"seed": 3}, sweep={"seed": [1, 2]})
    assert request.words(given, HERE, None) == ["-m", "seed=1,2"]


@pytest.mark.parametrize(
    ("sweep", "field"),
    [
        ({"seed": []}, "seed"),
        ({"seed": list(range(257))}, "sweep"),
        ({"optimizer.lr": [1e-3, -1]}, "optimizer.lr"),
        ({"sample.prompt": ["a", "b"]}, "sample.prompt"),
    ],
)
def test_every_value_of_a_sweep_is_tried_first(sweep: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        request.check(RunRequest(sweep=sweep), HERE, None)
    assert refused.value.field == field


def test_names_and_tags_are_words_where_lab_train_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    given = RunRequest(name="it's", tags=["a", "null"])
    known = frozenset({*request.overrides.known_options(), "name", "tags"})
    monkeypatch.setattr(request.overrides, "known_options", lambda: known)
    words = request.words(given, HERE, None)
    assert [word.partition("=")[0] for word in words] == ["name", "tags"]
    assert words[1] == "tags=['a','null']"
