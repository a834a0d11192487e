"""The real command: lab.experiment."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.commands import TINY, inside, lab
from support.forked import Process, started
from support.run_folders import write_run

from lab import experiment
from lab.comparison.experiment import Experiment, alone_with
from lab.runs import events

OPTIONS = (*TINY, "trainer.max_steps=4", "logger=none")


def here(folder: Path, *words: str) -> tuple[int, str, str]:
    return inside(experiment.main, folder, *words)


def prepared(folder: Path) -> None:
    """An experiment of which one run is still to be done: that of the idea with seed 2."""
    told = Experiment(folder / "x", (), ("optimizer.lr=1e-2",), OPTIONS, (1, 2))
    with alone_with(told):
        for name, loss, lr in (("baseline-1", 10.0, 3e-4), ("idea-1", 9.0, 1e-2), ("baseline-2", 10.1, 3e-4)):
            options = {"optimizer": {"lr": lr}}
            write_run(folder / "x" / name, [10.8, loss], seed=int(name[-1]), options=options)


@pytest.mark.slow
def test_what_is_there_is_not_repeated_and_the_rest_is_run(tmp_path: Path) -> None:
    prepared(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "x").glob("*-1/*")}
    code, out, err = here(tmp_path, "idea=optimizer.lr=1e-2", "seeds=2", "folder=x", *OPTIONS)
    assert code == 0, out + err
    assert "3 of 4 runs are there already" in out
    assert "4 of 4  idea-2: " in out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "x").glob("*-1/*")} == before
    assert json.loads((tmp_path / "x" / "idea-2" / "results.json").read_text())["seed"] == 2
    told = json.loads((tmp_path / "x" / "verdict.json").read_text())
    assert [[run["seed"] for run in side["runs"]] for side in told["sides"]] == [[1, 2], [1, 2]]
    assert told["contrasts"][0]["sentence"] in out


@pytest.mark.slow
def test_a_run_that_fails_is_said_in_one_sentence(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "x" / "idea-2").mkdir()
    (tmp_path / "x" / "idea-2" / "results.json").write_text("my own results")
    code, _, err = here(tmp_path, "idea=optimizer.lr=1e-2", "seeds=2", "folder=x", *OPTIONS)
    assert code == 1
    assert err.startswith("error: the run idea-2 failed (")
    assert "results.json" in err
    assert (tmp_path / "x" / "idea-2" / "results.json").read_text() == "my own results"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "idea= is missing"),
        (["idea=optimizer.lr=3e-4"], "idea= and baseline= come to the same options"),
        (["idea=optimizer.lrr=1"], "lrr"),
        (["idea=seed=3"], "seed=3 has no place in an experiment"),
        (["idea=save=true", "-m"], "-m has no place in an experiment"),
        (["idea=optimizer.lr=1", "hydra.run.dir=x"], "hydra.run.dir=x has no place"),
        (["idea='optimizer.lr=1"], "idea= cannot be read"),
        (["idea=optimizer.lr=1", "seeds=none"], "seeds=none does not fit"),
        (["idea=optimizer.lr=1", "seeds=0"], "seeds=0 is out of range"),
    ],
)
def test_mistakes_are_told_before_anything_is_run(tmp_path: Path, words: list[str], sentence: str) -> None:
    code, out, err = here(tmp_path, *words)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert sentence in err
    assert list(tmp_path.iterdir()) == []


LONG = (*TINY, "trainer.max_steps=400", "eval_every=100", "save=true", "save_every=20", "logger=none")


def start(folder: Path, *words: str) -> Process:
    return started(folder, "lab.experiment", "idea=optimizer.lr=1e-2", "seeds=1", "folder=x", *words)


def wait_for_step(run: Path, step: int, process: Process) -> None:
    while not any(event["step"] >= step for event in events.read(run)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("in_a_terminal")
def test_killed_in_the_middle_it_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, *LONG)
    wait_for_step(tmp_path / "x" / "baseline-1", 60, process)
    second = lab(tmp_path, "experiment", "idea=optimizer.lr=1e-2", "seeds=1", "folder=x", *LONG)
    assert second.code == 1
    assert "another process is at work on the experiment" in second.err
    children = psutil.Process(process.pid).children()
    process.send_signal(number)
    out, _ = process.communicate(timeout=300)
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert "to go on:\n  python -m lab.experiment idea=optimizer.lr=1e-2 seeds=1 " in out
        assert not any(child.is_running() for child in children)  # they have ended, and saved
        assert list((tmp_path / "x" / "baseline-1" / "checkpoints").glob("last.ckpt"))
    done = lab(tmp_path, "experiment", "idea=optimizer.lr=1e-2", "seeds=1", "folder=x", *LONG)
    assert done.code == 0, done.out + done.err
    told: Any = json.loads((tmp_path / "x" / "verdict.json").read_text())
    assert [len(side["runs"]) for side in told["sides"]] == [1, 1]
    for name in ("baseline-1", "idea-1"):
        steps = [e["step"] for e in events.read(tmp_path / "x" / name) if e["kind"] == "metrics" and "val_loss" in e]
        assert steps == [0, 100, 200, 300, 400]
    assert "with one seed a side nobody can tell" in done.out
