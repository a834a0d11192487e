"""What runs would cost: by a run that was made before, or by a measured rate."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY
from support.run_folders import write_run

from lab.config import compose
from lab.config.schema import Config, check, to_plain
from lab.dashboard.options import cost, length
from lab.dashboard.options.request import RunRequest
from lab.dashboard.schemas import RunSummary
from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.trainings.processes import Jobs
from lab.parts.cost import flops_per_token
from lab.profiling.rate import Rate
from lab.system import memory


@pytest.fixture(scope="module")
def config() -> Config:
    return check(compose.compose_config([*TINY, "trainer.max_steps=100", "eval_every=50"]))


def past(root: Path, name: str, config: Config, rate: float, **trainer: Any) -> RunSummary:
    """A run with the options of ``config`` that trained on so many tokens a second."""
    options = to_plain(config)
    options["trainer"] |= trainer
    folder = write_run(root / "outputs" / "day" / name, [3.0, 2.0], options=options)
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps(results | {"tokens_per_second": rate}))
    runs = Runs(Settings(root, ""))
    return RunSummary(
        id=runs.id_of(folder),
        path=name,
        name=name,
        state="finished",
        parameters=1_000_000,
        tokens_per_step=64,
        tokens_per_second=rate,
    )


def test_the_nearest_run_of_the_same_kind_says_how_fast(tmp_path: Path, config: Config) -> None:
    wide = dataclasses.replace(config, data=dataclasses.replace(config.data, batch_size=8))
    larger = dataclasses.replace(config, data=dataclasses.replace(config.data, batch_size=64))
    made = [
        past(tmp_path, "same", config, 1000.0),
        past(tmp_path, "wide", wide, 2000.0),
        past(tmp_path, "far", larger, 9000.0),
        past(tmp_path, "compiled", config, 5000.0, compile=True),
        past(tmp_path, "gpu", config, 5000.0, accelerator="gpu"),
    ]
    runs = Runs(Settings(tmp_path, ""))
    runs.find()
    found = cost.nearest(config, made, runs)
    assert found is not None
    assert (found.run.name, found.flops_per_second) == ("same", 1000 * flops_per_token(config.model))
    found = cost.nearest(config, made[1:], runs)
    assert found is not None
    assert found.run.name == "wide"
    assert cost.nearest(config, made[2:], runs) is None
    (tmp_path / "outputs/day/same/config.yaml").write_text("model: [1]\n")
    assert cost.nearest(config, made[:1], runs) is None


def test_time_is_work_over_rate_and_what_is_done_is_not_counted(tmp_path: Path, config: Config) -> None:
    planned = length.planned(config, tmp_path)
    assert planned is not None
    each = flops_per_token(config.model)
    tokens = planned.plan.tokens_per_step
    # 100 steps with evaluations at 0, 50 and 100, each a third of the work for its tokens.
    assert cost.flops(config, planned, 0) == pytest.approx(each * (100 * tokens + planned.n_val_tokens))
    assert cost.flops(config, planned, 50) == pytest.approx(each * (50 * tokens + planned.n_val_tokens * 2 / 3))
    slow, fast = (cost.seconds_by_rate(config, planned, 0, Rate(0.0, rate)) for rate in (1e6, 2e6))
    assert slow > fast > 0


def test_runs_that_cost_the_same_are_looked_at_once(tmp_path: Path) -> None:
    overrides = {word.partition("=")[0]: word.partition("=")[2] for word in TINY if "trainer" in word}
    sweep: dict[str, list[Any]] = {"optimizer.lr": [1e-3, 1e-4, 1e-5], "data.batch_size": [2, 4]}
    given = RunRequest(overrides=dict(overrides), sweep=sweep)
    kinds = cost.kinds(given, Settings(tmp_path, ""), None)
    assert [(config.data.batch_size, times) for config, times in kinds] == [(2, 3), (4, 3)]


def test_memory_is_that_of_the_largest_and_a_training_before_it_gives_its_own_back(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(Settings(tmp_path, ""), Runs(Settings(tmp_path, "")))
    larger = dataclasses.replace(config, data=dataclasses.replace(config.data, batch_size=64))
    needed = cost.memory_of([config, larger], jobs).needed
    assert needed == cost.memory_of([larger], jobs).needed > cost.memory_of([config], jobs).needed
    for free, fits in ((needed, True), (needed - 1, False)):
        monkeypatch.setattr(memory, "free", lambda free=free: free)
        found = cost.memory_of([config, larger], jobs)
        assert (found.fits, found.free) == (fits, free)
    assert "GB are free" in found.sentence
