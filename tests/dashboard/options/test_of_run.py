"""The options of a run, as they are given once more."""

from pathlib import Path
from typing import Any

import pytest

from lab.config import compose
from lab.config.changed_options import flat
from lab.config.schema import check, to_plain
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import of_run, overrides
from lab.dashboard.settings import Settings
from lab.errors import LabError


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an outputs/ that could be a folder of somebody's choice."""
    monkeypatch.chdir(tmp_path)


def config_of(*words: str) -> dict[str, Any]:
    """As it stands in a run's config.yaml."""
    return dict(to_plain(check(compose.compose_config(words))))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("model=small", "optimizer.lr=0.001", "save=true", "trainer.max_steps=12", "optimizer.betas=[0.8,0.99]"),
        ("model=nano", "model.n_layers=2", "optimizer=sgd", "optimizer.momentum=0.5", "tokenizer=chars", "seed=7"),
        ("corpus=grammar", "corpus.documents=50", "sample.prompt=The, ${fox} 'said' \\", "eval_every=5"),
        ("experiment=five_minutes", "schedule=wsd"),
    ],
)
def test_a_run_with_what_is_found_is_the_same_run(words: tuple[str, ...], tmp_path: Path) -> None:
    config = config_of(*words)
    found = of_run.changed(config, None)
    again = compose.compose_config(overrides.words(found, Settings(tmp_path, "")))
    assert flat(check(again)) == flat(check(compose.compose_config(words)))
    assert len(found) <= len(words) + 16  # an experiment stands for several


def test_what_is_as_in_the_defaults_is_not_said() -> None:
    assert of_run.changed(config_of("optimizer.lr=0.001", "model=small"), None) == {
        "model": "small",
        "optimizer.lr": 0.001,
    }
    assert of_run.changed(config_of(), None) == {}


def test_out_of_an_earlier_run() -> None:
    """What was put back to its default is said, for the earlier run had it otherwise."""
    earlier = config_of("model=small", "optimizer.lr=0.001", "seed=3")
    found = of_run.changed(config_of("model=small", "optimizer.lr=0.002"), None, earlier)
    assert found == {"optimizer.lr": 0.002, "seed": 42}


def test_of_a_run_that_never_began() -> None:
    words = ["model=small", "sample.prompt=The, fox", "resume=x.ckpt", "hydra.run.dir=/tmp/x"]
    assert of_run.changed({}, words) == {"model": "small", "sample.prompt": "The, fox"}


@pytest.mark.parametrize(
    "words",
    [
        ["model=../../etc"],
        ["parts=[evil.py]"],
        ["seed=${oc.env:HOME}"],
        ["optimizer._target_=os.system"],
        ["init_from=/etc/passwd"],
        ["corpus.source=evil.py:read"],
        ["logger=wandb"],
    ],
)
def test_words_in_a_folder_are_no_orders(words: list[str]) -> None:
    with pytest.raises(ApiError):
        of_run.changed({}, words)


def test_a_damaged_configuration_is_refused_or_ignored() -> None:
    damaged: list[dict[str, Any]] = [
        {"model": {"n_layers": "os.system('x')"}},
        {"optimizer": {"_target_": "os.system"}},
        {"x": [{}]},
    ]
    for config in damaged:
        try:
            found = of_run.changed(config, None)
        except (ApiError, LabError):
            continue
        assert "os.system" not in str(found)
