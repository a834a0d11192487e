"""Sweeps as they are typed, inside this process."""

import gc
import json
import logging
import os
import random
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.commands import TINY, Finished, train_here

from lab.commands import train
from lab.system.signals import ENDING

FEW = (*TINY, "trainer.max_steps=2", "eval_every=1", "logger=none", "schedule.warmup_steps=0")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A sweep of three jobs, the first of which diverges."""
    return train_here(tmp_path_factory.mktemp("swept"), *FEW, "-m", "optimizer.lr=1e38,1e-2,1e-4")


def rows(out: str) -> list[str]:
    return [" ".join(line.split()) for line in out.partition("\nsweep\n")[2].splitlines()]


def state(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "state.json").read_text(encoding="utf-8"))


def test_a_job_that_fails_takes_no_other_with_it_and_is_told(swept: Finished) -> None:
    assert swept.code == 1
    (folder,) = {run.parent for run in swept.runs}
    assert [state(folder / name)["state"] for name in "012"] == ["failed", "finished", "finished"]
    head, *jobs = rows(swept.out)
    assert head == "job optimizer.lr bits per byte val loss state folder"
    losses = {name: json.loads((folder / name / "results.json").read_text())["best_val_loss"] for name in "12"}
    assert losses["1"] < losses["2"]
    place = folder.relative_to(swept.folder)
    assert jobs[0].startswith("0 1e+38")
    assert jobs[0].endswith(f"failed {place}/0")
    assert jobs[1].endswith(f"{losses['1']:.4f} finished, the best {place}/1")
    assert jobs[2].endswith(f"{losses['2']:.4f} finished {place}/2")
    assert "job 0 (optimizer.lr=1e+38): failed (training diverged" in jobs[3]
    assert f"1 of 3 jobs failed; mend what was wrong, and `python -m lab.train -m resume={place}`" in swept.err


def test_what_is_done_is_not_done_again(swept: Finished) -> None:
    (folder,) = {run.parent for run in swept.runs}
    before = {name: state(folder / name) for name in "012"}
    done = train_here(swept.folder, f"resume={folder}")  # -m says nothing that the folder does not
    after = {name: state(folder / name) for name in "012"}
    assert done.code == 1  # the first one diverges again
    assert after["0"]["updated"] > before["0"]["updated"]
    assert (after["1"], after["2"]) == (before["1"], before["2"])
    assert len(rows(done.out)) == len(rows(swept.out))
    done = train_here(swept.folder, "-m", f"resume={folder}", "optimizer.lr=1e-3")
    assert done.code == 1
    assert "optimizer.lr=1e-3 is not what the sweep" in done.err


def test_an_interrupted_sweep_goes_on_where_it_was(between_steps: Any, tmp_path: Path) -> None:
    between_steps((signal.SIGTERM,))
    words = (*FEW, "save=true", "trainer.max_steps=4", "hydra.sweep.dir=here")
    done = train_here(tmp_path, "-m", *words, "seed=1,2")
    assert done.code == 128 + signal.SIGTERM
    assert done.out.endswith("to go on with the jobs that are left:\n  python -m lab.train -m resume=here\n")
    assert (state(tmp_path / "here/0")["state"], (tmp_path / "here/1").exists()) == ("stopped", False)
    done = train_here(tmp_path, "-m", "resume=here")
    assert done.code == 0, done.err
    assert [state(tmp_path / "here" / name)["state"] for name in "01"] == ["finished", "finished"]
    assert json.loads((tmp_path / "here/0/results.json").read_text())["parent"] is not None  # from its checkpoint
    steps = [json.loads(line)["step"] for line in (tmp_path / "here/0/events.jsonl").read_text().splitlines()]
    assert max(steps) == 4
    again = train_here(tmp_path, "-m", "resume=here")
    assert (again.code, again.err) == (0, "")
    assert "\njob " not in again.out.partition("\nsweep\n")[0]


def test_a_folder_that_somebody_named_is_not_taken_over(tmp_path: Path) -> None:
    words = ("-m", *FEW, "seed=1", "hydra.sweep.dir=here")
    assert train_here(tmp_path, *words).code == 0
    done = train_here(tmp_path, *words)
    assert done.code == 1
    assert "holds a run already" in done.out
    assert state(tmp_path / "here/0")["state"] == "finished"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["optimizer.lr=interval(1e-4,1e-2)"], "optimizer.lr has a range, and -m takes values"),
        (["seed=1,2", "hydra.sweeper.max_batch_size=0"], "launches nothing"),
        (["model.emb_dims=1,2"], "did you mean model.emb_dim"),
        (["seed=1,x"], "seed"),
        (["seed=1,2", "hydra/launcher=nosuch"], "choose one of basic, joblib, submitit_local, submitit_slurm"),
    ],
)
def test_what_makes_no_sense_leaves_nothing(words: list[str], said: str, tmp_path: Path) -> None:
    done = train_here(tmp_path, "-m", *words)
    assert done.code == 1
    assert said in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_jobs_leave_each_other_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start of each job the process is as it was at the first, and holds no more than at the second."""
    seen: list[dict[str, Any]] = []
    real = train._best_val_loss

    def looking(config: Any, folder: Path, words: Any) -> float:
        seen.append(process_state())
        return real(config, folder, words)

    monkeypatch.setattr(train, "_best_val_loss", looking)
    done = train_here(tmp_path, "-m", *FEW, "seed=3,4,5,6", "trainer.precision=32-true,bf16-mixed", "save=true")
    assert done.code == 0, done.err
    assert len(seen) == 8
    held = [(state.pop("tensors"), state.pop("modules")) for state in seen]
    assert all(state == seen[0] for state in seen)
    assert len(set(held[1:])) == 1, held


def process_state() -> dict[str, Any]:
    gc.collect()
    things = [type(thing) for thing in gc.get_objects()]
    return {
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "signals": [signal.getsignal(number) for number in ENDING],
        "warnings": (list(warnings.filters), warnings.showwarning),
        "random": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
        "torch": (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()),
        "choices": (torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()),
        "handlers": [type(handler) for handler in logging.getLogger().handlers],
        "levels": [logging.getLogger(name).level for name in ("", "lightning", "lightning.pytorch", "hydra")],
        "streams": (sys.stdout, sys.stderr, sys.excepthook),
        "tensors": sum(issubclass(kind, torch.Tensor) for kind in things),
        "modules": sum(issubclass(kind, torch.nn.Module) for kind in things),
    }
