"""What the form offers is not refused, whatever else is chosen; and what it does not offer would be."""

from pathlib import Path
from typing import Any

import pytest

from lab.config.choices import group_choices
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import form_schema, request
from lab.dashboard.options.offered import absent
from lab.dashboard.settings import Settings

NEEDED: dict[str, dict[str, Any]] = {
    "text": {"corpus.path": "a.txt"},
    "bin": {"corpus.path": "a.txt", "tokenizer": "gpt2"},
    "mix": {"corpus.parts": ["fables", "grammar"]},
    "bpe": {"tokenizer.vocab_size": 512},
}
"""What a choice of a file is nothing without."""
CHOICES = [
    (group, choice)
    for group in ("optimizer", "schedule", "corpus", "tokenizer", "trainer", "experiment", "model")
    for choice in group_choices(group)
    if choice not in ("hf",)  # names somebody else's file or dataset: not from here
]
VALUES: dict[str, Any] = {
    "corpus.path": "a.txt",
    "corpus.parts": ["fables", "grammar"],
    "corpus.weights": [0.5, 0.5],
    "optimizer.betas": [0.5, 0.75],
    "model.n_kv_heads": 1,
    "model.emb_dim": 768,  # any number of heads takes an equal share of it
    "tokenizer.vocab_size": 600,
    "data.stride": 8,
    "trainer.devices": 1,
}


def value_of(option: form_schema.Option) -> Any:
    """One that fits, and is not the default where there is another."""
    if option.name in VALUES:
        return VALUES[option.name]
    if option.choices:
        return option.choices[0]
    if option.type in ("integer", "number"):
        usual = (option.default if isinstance(option.default, int | float) else option.low or 8) or 1
        return int(usual) if option.type == "integer" else usual
    return {"boolean": True, "text": "x"}.get(option.type, option.default)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("root")
    (folder / "a.txt").write_text("The fox.", encoding="utf-8")
    return Settings(folder, "")


def refused(given: dict[str, Any], settings: Settings) -> str | None:
    try:
        request.compose(given, settings, None)
    except ApiError as error:
        return error.message
    return None


def given_with(group: str, choice: str) -> dict[str, Any]:
    return {group: choice, **NEEDED.get(choice, {})}


@pytest.mark.slow
@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_what_is_offered_with_a_choice_is_taken(group: str, choice: str, root: Settings) -> None:
    """All that is offered at once; where that is too much, each by itself."""
    given = given_with(group, choice)
    gone = set(absent(request.compose(given, root, None), going_on=False))
    options = [o for o in form_schema.description().options if o.allowed and o.name not in gone]
    values = {option.name: value_of(option) for option in options if option.name not in given}
    if refused({**values, **given}, root) is not None:
        assert {name: said for name in values if (said := refused({**given, name: values[name]}, root))} == {}


@pytest.mark.parametrize(
    ("group", "choice", "option", "value"),
    [
        ("optimizer", "adamw", "optimizer.momentum", 0.9),
        ("optimizer", "sgd", "optimizer.betas", [0.5, 0.75]),
        ("tokenizer", "gpt2", "tokenizer.vocab_size", 600),
        ("corpus", "fables", "corpus.seed", 1),
        ("corpus", "fables", "corpus.parts", ["fables"]),
        ("schedule", "cosine", "save_every", 5),
        ("optimizer", "adamw", "optimizer.head_lr", 1e-3),
    ],
)
def test_what_would_be_refused_is_not_offered(group: str, choice: str, option: str, value: Any, root: Settings) -> None:
    assert refused({**given_with(group, choice), option: value}, root) is not None
    assert option in absent(request.compose(given_with(group, choice), root, None), going_on=False)


def test_a_run_that_goes_on_is_offered_nothing_of_its_model_or_text(root: Settings) -> None:
    gone = absent(request.compose({}, root, None), going_on=True)
    assert {"model", "corpus", "tokenizer", "optimizer", "model.n_layers", "corpus.column"} <= set(gone)
    assert not {"model.drop_rate", "optimizer.lr", "save"} & set(gone)
