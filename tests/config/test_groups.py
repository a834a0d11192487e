"""The files of conf/: each composes, each experiment runs, and one more is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep
from omegaconf import OmegaConf
from support.commands import ROOT, TINY, train_here

from lab.config import compose
from lab.config.choices import defaults, first_sentence, group_choices, group_names
from lab.config.groups import option_names, shipped
from lab.config.optimizer_schema import optimizers
from lab.config.schema import check

FILES = [(group, choice) for group in group_names() for choice in group_choices(group)]


@pytest.mark.parametrize(("group", "choice"), FILES)
def test_every_file_composes_and_says_who_should_choose_it(group: str, choice: str) -> None:
    needed = {"text": ["corpus.path=x.txt"], "bin": ["corpus.path=x.bin"], "hf": ["corpus.name=a/b"]}
    extra = needed.get(choice, []) if group == "corpus" else []
    check(compose.compose_config([f"{group}={choice}", *extra]))
    assert len(first_sentence(group, choice)) > 20


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(e, marks=pytest.mark.slow) if e == "verdict" else e for e in group_choices("experiment")],
)
def test_every_experiment_runs_for_two_steps(experiment: str, tmp_path: Path, corpora: Path, monkeypatch) -> None:
    config = check(compose.compose_config([f"experiment={experiment}"]))
    if config.corpus.name == "verdict" and not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    monkeypatch.setenv("LAB_CORPORA", str(corpora))
    short = ("trainer.max_steps=2", "eval_every=2", "data.max_val_tokens=300", "sample.max_tokens=4", "trainer=cpu")
    done = train_here(tmp_path, f"experiment={experiment}", *short)
    assert done.code == 0, done.err
    assert done.results["steps"] == 2


@pytest.mark.parametrize("sweep", group_choices("sweep"))
def test_every_sweep_has_jobs_that_compose(sweep: str) -> None:
    """Each job; of a search, those at the ends of its ranges."""
    sweeper = compose.compose_quoted([f"sweep={sweep}"], with_hydra=True).hydra.sweeper
    found = OverridesParser.create().parse_overrides([f"{name}={value}" for name, value in sweeper.params.items()])
    assert found
    for override in found:
        name, value = override.get_key_element(), override.value()
        assert isinstance(value, ChoiceSweep | RangeSweep | IntervalSweep)
        if isinstance(value, IntervalSweep):
            words = [f"{name}={value.start}", f"{name}={value.end}"]
        else:
            words = [f"{name}={one}" for one in override.sweep_string_iterator()]
        assert len(words) > 1
        for word in words:
            check(compose.compose_config([f"sweep={sweep}", word]))


@pytest.mark.slow
def test_a_further_optimizer_is_one_more_file(tmp_path: Path) -> None:
    for part in ("lab", "conf", "corpora"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("frontend", "__pycache__"))
    said = "# For the test.\ndefaults: [sgd_schema, _self_]\n_target_: torch.optim.RMSprop\nlr: 1e-3\n"
    (tmp_path / "conf" / "optimizer" / "rmsprop.yaml").write_text(said)
    code = (
        "import sys; from lab import train; from lab.dashboard.options import form_schema\n"
        "(group,) = [g for g in form_schema.description().groups if g.name == 'optimizer']\n"
        "print([choice.name for choice in group.choices])\n"
        "for words in (['-h'], sys.argv[1:], ['resume=part', 'trainer.max_steps=2']):\n"
        "    sys.argv[1:] = words; train.main()\n"
    )
    options = (*TINY, "optimizer=rmsprop", "trainer.max_steps=1", "save=true", "hydra.run.dir=part")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *options], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "['adafactor', 'adamw', 'muon', 'rmsprop', 'sgd']" in done.stdout
    assert "    rmsprop         For the test." in done.stdout
    assert "  optimizer.momentum (0.9" in done.stdout
    (continued,) = tmp_path.glob("outputs/*/*/config.yaml")
    assert "_target_: torch.optim.RMSprop" in continued.read_text()


def test_what_a_file_says_without_hydra_is_what_hydra_composes() -> None:
    for group, choice in defaults().items():
        if group in ("model", "data", "schedule", "optimizer", "sample", "trainer") and choice:
            said = OmegaConf.to_container(shipped(group, choice))
            composed = OmegaConf.to_container(compose.compose_config([])[group], enum_to_str=True)
            assert isinstance(said, dict)
            assert isinstance(composed, dict)
            plain = {key: value for key, value in said.items() if "${" not in str(value)}
            assert {key: composed[key] for key in plain} == plain, group


def test_every_option_has_one_name() -> None:
    names = option_names()
    assert len(names) == len(set(names))
    assert {"optimizer.betas", "optimizer.momentum", "optimizer.lr", "model", "model.emb_dim", "seed"} <= set(names)
    assert not any(part.startswith("_") for name in names for part in name.split("."))
    assert set(optimizers()) == set(group_choices("optimizer"))
