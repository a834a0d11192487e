"""Only plain values for known options come through, and they arrive as they are."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.config import compose, quoting
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import overrides
from lab.dashboard.settings import Settings

HERE = Settings(Path("/nowhere"), "")


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("resume", "x", "resume"),
        ("init_from", "gpt2", "init_from"),
        ("corpus.url", "http://x", "corpus.url"),
        ("logger.wandb.project", "x", "logger.wandb.project"),
        ("logger", "wandb", "logger"),
        ("callbacks.mine._target_", "os.system", "callbacks.mine._target_"),
        ("optimizer._target_", "os.system", "optimizer._target_"),
        ("hydra.run.dir", "/tmp/x", "hydra.run.dir"),
        ("hydra/launcher", "joblib", "hydra/launcher"),
        ("model", "huge", "model"),
        ("optimizer.lrr", 1, "optimizer.lrr"),
        ("corpus.path", "/etc/passwd", "corpus.path"),
        ("corpus.path", "~/notes", "corpus.path"),
        ("sample.prompt", "a\0b", "sample.prompt"),
        ("parts", ["idea.py"], "parts"),
        ("optimizer.options.beta", 1, "optimizer.options.beta"),
        ("schedule.name", "idea.py:f", "schedule.name"),
        ("corpus.source", "idea.py:f", "corpus.source"),
        ("metrics.mine", "idea.py:f", "metrics.mine"),
    ],
)
def test_what_may_not_be_given_is_refused_at_its_name(key: str, value: Any, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        overrides.words({key: value}, HERE)
    assert (refused.value.status, refused.value.field) == (422, field)


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=15))
@example("null")
def test_a_text_arrives_as_it_is(text: str) -> None:
    given_ = {"sample.prompt": text, "corpus.document_separator": text}
    words = quoting.quote_literals(overrides.words(given_, HERE))
    composed = compose.compose_quoted(words)
    assert composed.sample.prompt == text
    assert composed.corpus.document_separator == (text if text != "null" else None)


def test_plain_values_become_what_they_are() -> None:
    given_: dict[str, Any] = {
        "save": True,
        "eval_every": None,
        "optimizer.lr": 1e-300,
        "optimizer.betas": [0.8, 0.9],
        "model": "small",
    }
    words = overrides.words(given_, HERE)
    assert words == ["save=true", "eval_every=null", "optimizer.lr=1e-300", "optimizer.betas=[0.8,0.9]", "model=small"]


def test_a_text_to_train_on_lies_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.txt").write_text("x")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "secret")
    here = Settings(tmp_path / "root", "")
    assert overrides.words({"corpus.path": "a.txt"}, here) == ["corpus.path=a.txt"]
    for path in ("link", "../secret", ".", "nothing", "*", "~", "a\0"):
        with pytest.raises(ApiError, match="is not a file in the server's root"):
            overrides.words({"corpus.path": path}, here)


def test_a_sweep_is_over_values_and_not_over_texts() -> None:
    words = overrides.sweep_words({"optimizer.lr": [1e-3, 0.5], "seed": [1]}, HERE)
    assert words == ["optimizer.lr=0.001,0.5", "seed=1"]
    for sweep, said in (({"sample.prompt": ["a"]}, "cannot be swept over"), ({"seed": []}, "no values")):
        with pytest.raises(ApiError, match=said):
            overrides.sweep_words(sweep, HERE)


def test_a_checkpoint_brings_along_no_more_than_the_network_may() -> None:
    found = overrides.check_inherited(["model=nano", "optimizer.lr=0.5", "logger=csv"], {"optimizer.lr": 0.25}, HERE)
    assert found.config.optimizer.lr == 0.25
    for word in (
        "logger=[csv,wandb]",
        "optimizer._target_=x",
        "nonsense=1",
        "corpus.url='http://x'",
        "model=x",
        "schedule.name='idea.py:f'",
        "parts=[idea.py]",
    ):
        with pytest.raises(ApiError, match=r"brings along|is unknown"):
            overrides.check_inherited([word], {}, HERE)


def test_a_sentence_names_the_longest_option_in_it() -> None:
    assert overrides.field_of("trainer.max_steps=-1 is out of range", {"trainer.max_steps": -1}) == "trainer.max_steps"
    assert overrides.field_of("n_heads=7 does not divide", {"model.n_heads": 7, "seed": 1}) == "model.n_heads"
    assert overrides.field_of("nothing of the kind", {}) is None
