"""A job that SLURM starts, warns and starts again, with a scontrol of our own on the path."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY, train_here
from support.runs import assert_same_run

OPTIONS = (*TINY, "trainer.max_steps=7", "eval_every=3", "log_every=1", "model.drop_rate=0.2")
AGAIN = (*OPTIONS, "save=true", "resume=auto", "hydra.run.dir=run")
"""What a batch script has: the same words, however often it is started."""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The variables of a batch job. What scontrol has been asked so far; it fails if a file says why."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    job = {"JOB_ID": "77", "JOB_NAME": "train", "NTASKS": "1", "PROCID": "0", "LOCALID": "0", "NODEID": "0"}
    for name, value in job.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    script = tmp_path / "bin" / "scontrol"
    script.parent.mkdir()
    place = tmp_path / "asked"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> "{place}"\ntest ! -e "{place}.refused" || {{ cat "{place}.refused" >&2; exit 1; }}\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    return lambda: place.read_text(encoding="utf-8").splitlines() if place.exists() else []


def test_a_job_that_is_warned_and_started_again_is_the_same_run(
    asked: Any,
    between_steps: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    between_steps((), (), (signal.SIGUSR1,))
    done = train_here(tmp_path, *AGAIN)
    assert done.code == 128 + signal.SIGUSR1
    assert done.err == "note: SLURM's job 77 is queued again, and goes on from here\n"
    assert asked() == ["requeue 77"]
    assert not list(tmp_path.rglob("hpc_ckpt*"))
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert train_here(tmp_path, *AGAIN).code == 0
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    assert train_here(tmp_path, *OPTIONS, "save=true", "hydra.run.dir=whole").code == 0
    assert_same_run(tmp_path / "whole", tmp_path / "run")
    assert train_here(tmp_path, *AGAIN).code == 0  # and once more: there is nothing left to do
    assert asked() == ["requeue 77"]


@pytest.mark.parametrize(
    ("words", "number", "variables"),
    [
        ((*OPTIONS, "save=true", "hydra.run.dir=run"), signal.SIGUSR1, {}),  # would be refused the folder
        ((*OPTIONS, "resume=auto", "hydra.run.dir=run"), signal.SIGUSR1, {}),  # would begin anew for ever
        (AGAIN, signal.SIGTERM, {}),  # cancelled, not warned
        (AGAIN, signal.SIGUSR1, {"SLURM_JOB_NAME": "bash"}),  # no job of the queue
        (AGAIN, signal.SIGUSR1, {"SLURM_JOB_ID": ""}),
    ],
)
def test_what_would_not_go_on_is_not_queued_again(
    words: tuple[str, ...],
    number: signal.Signals,
    variables: dict[str, str],
    asked: Any,
    between_steps: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    between_steps((number,))
    done = train_here(tmp_path, *words)
    assert (done.code, done.err, asked()) == (128 + number, "", [])


def test_a_member_of_an_array_and_a_refusal(
    asked: Any,
    between_steps: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "70")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    (tmp_path / "asked.refused").write_text("Requested operation is presently disabled\n", encoding="utf-8")
    between_steps((signal.SIGUSR2,))
    done = train_here(tmp_path, *AGAIN)
    assert asked() == ["requeue 70_3"]
    assert done.code == 128 + signal.SIGUSR2
    assert done.err == (
        "warning: SLURM's job 70_3 could not be queued again (Requested operation is presently disabled): "
        "submit it anew\n"
    )
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def test_tasks_that_nobody_has_started(asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``sbatch --ntasks=4`` without srun is one process; with it, four, of which none may train the same run."""
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "4")
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=1").code == 0
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    done = train_here(tmp_path, *OPTIONS, "trainer.max_steps=1", "trainer.devices=1")
    assert done.code == 1
    assert done.err.startswith("error: srun has started 4 processes for trainer.devices=1")
    assert len(done.err.splitlines()) == 1


def test_what_lightning_has_left_is_no_second_beginning(asked: Any, tmp_path: Path) -> None:
    """Its own mechanism would take up a checkpoint of that name by itself, under a log that begins anew."""
    assert train_here(tmp_path, *OPTIONS, "save=true", "hydra.run.dir=earlier").code == 0
    (tmp_path / "run").mkdir()
    (tmp_path / "earlier/checkpoints/last.ckpt").rename(tmp_path / "run/hpc_ckpt_1.ckpt")
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=2", "resume=auto", "hydra.run.dir=run").code == 0
    assert json.loads((tmp_path / "run/results.json").read_text(encoding="utf-8"))["steps"] == 2
