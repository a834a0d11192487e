"""A search with Optuna: what is proposed, what is given up, and how it goes on."""

import importlib.util
import json
import math
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from support.commands import TINY, Finished, train_here

from lab.errors import LabError

if not importlib.util.find_spec("optuna"):
    pytest.skip("needs the extra sweeps", allow_module_level=True)

from lab.sweeps import search

FEW = (*TINY, "trainer.max_steps=3", "eval_every=1", "logger=none", "schedule.warmup_steps=0", "save=true")
SEARCH = ("-m", *FEW, "hydra/sweeper=search", "hydra.sweep.dir=here", "hydra.sweeper.startup_trials=1")


def trials(folder: Path) -> list[Any]:
    import optuna

    return optuna.load_study(study_name="search", storage=search.storage(folder / "study.journal")).get_trials()


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Four trials of a rate from far too small to good, in an order that depends on the seed alone."""
    words = ("optimizer.lr=tag(log,interval(1e-9,1e-1))", "model.n_heads=1,2", "hydra.sweeper.n_trials=4")
    return train_here(tmp_path_factory.mktemp("searched"), *SEARCH, *words)


def test_jobs_are_proposed_told_and_given_up(searched: Finished) -> None:
    assert searched.code == 0, searched.err
    folder = searched.folder / "here"
    found = trials(folder)
    assert len(found) == 4
    for trial in found:
        run = folder / str(trial.number)
        config, results = (run / "config.yaml").read_text(), json.loads((run / "results.json").read_text())
        assert f"lr: {trial.params['optimizer.lr']}\n" in config
        assert set(trial.intermediate_values) <= {1, 2}
        state = json.loads((run / "state.json").read_text())
        if trial.state.name == "PRUNED":
            assert state["state"] == "stopped"
            assert state["step"] < 3
            others = [t.intermediate_values[state["step"]] for t in found if t.number < trial.number]
            assert trial.intermediate_values[state["step"]] > sorted(others)[len(others) // 2] or len(others) > 1
        else:
            assert (trial.state.name, state["state"]) == ("COMPLETE", "finished")
            assert math.isclose(trial.value, results["best_val_loss"], rel_tol=1e-6)
    assert {trial.state.name for trial in found} == {"PRUNED", "COMPLETE"}
    assert "pruned at step 1 of 3" in searched.out.partition("\nsweep\n")[2]


def test_a_search_is_prolonged(searched: Finished) -> None:
    folder = searched.folder / "here"
    before = [(t.number, t.params, t.state) for t in trials(folder)]
    stamps = [(folder / str(n) / "state.json").read_bytes() for n in range(4)]
    done = train_here(searched.folder, "-m", "resume=here", "hydra.sweeper.n_trials=5")
    assert done.code == 0, done.err
    after = trials(folder)
    assert [(t.number, t.params, t.state) for t in after[:4]] == before
    assert [(folder / str(n) / "state.json").read_bytes() for n in range(4)] == stamps
    assert len(after) == 5
    again = train_here(searched.folder, *SEARCH, "optimizer.lr=interval(0.1,0.2)")
    assert again.code == 1
    assert "study.journal is there already" in again.err


def test_an_interrupted_trial_goes_on_with_what_was_proposed(between_steps: Any, tmp_path: Path) -> None:
    between_steps((), (signal.SIGTERM,))
    done = train_here(tmp_path, *SEARCH, "optimizer.lr=interval(0.001,0.002)", "hydra.sweeper.n_trials=1")
    assert done.code == 128 + signal.SIGTERM
    assert "resume=here" in done.out
    (before,) = trials(tmp_path / "here")
    assert before.state.name == "RUNNING"
    done = train_here(tmp_path, "-m", "resume=here")
    assert done.code == 0, done.err
    (after,) = trials(tmp_path / "here")
    assert (after.state.name, after.params) == ("COMPLETE", before.params)
    results = json.loads((tmp_path / "here/0/results.json").read_text())
    assert results["parent"] is not None
    assert math.isclose(after.value, results["best_val_loss"], rel_tol=1e-6)


def test_what_is_proposed_in_a_file_from_elsewhere_is_not_obeyed(searched: Finished, tmp_path: Path) -> None:
    import optuna
    from optuna.distributions import CategoricalDistribution

    shutil.copytree(searched.folder / "here", tmp_path / "here")
    planted = optuna.load_study(study_name="search", storage=search.storage(tmp_path / "here/study.journal"))
    planted.ask({"optimizer._target_": CategoricalDistribution(["os.system"])})
    done = train_here(tmp_path, "-m", "resume=here")
    assert done.code == 1
    assert "study.journal is of another search" in done.err
    assert not (tmp_path / "here/5").exists()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a=interval(1,2)", {"low": 1.0, "high": 2.0, "log": False, "step": None}),
        ("a=tag(log,interval(1e-4,1e-2))", {"low": 1e-4, "high": 1e-2, "log": True, "step": None}),
        ("a=int(interval(1,9))", {"low": 1, "high": 9, "log": False, "step": 1}),
        ("a=range(0,101,20)", {"low": 0, "high": 100, "log": False, "step": 20}),
        ("a=range(0,1,0.25)", {"low": 0.0, "high": 0.75, "log": False, "step": 0.25}),
        ("a=64,128", {"choices": ("64", "128")}),
    ],
)
def test_ranges(word: str, expected: dict[str, Any]) -> None:
    (override,) = OverridesParser.create().parse_overrides([word])
    assert search.distribution(override)._asdict() == expected


@pytest.mark.parametrize("word", ["a=tag(log,interval(0,1))", "a=interval(2,1)", "a=range(5,5)", "a=glob(x*)"])
def test_ranges_that_are_none(word: str) -> None:
    (override,) = OverridesParser.create().parse_overrides([word])
    with pytest.raises(LabError, match=r"^a.*write interval"):
        search.distribution(override)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["seed=1"], "a search needs ranges"), (["seed=1,2", "hydra.sweeper.n_trials=0"], "must be 1 or more")],
)
def test_what_makes_no_sense_leaves_nothing(words: list[str], said: str, tmp_path: Path) -> None:
    done = train_here(tmp_path, *SEARCH, *words)
    assert done.code == 1
    assert said in done.err
    assert list(tmp_path.iterdir()) == []
