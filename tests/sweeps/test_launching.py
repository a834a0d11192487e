"""Who runs the jobs, and with how many threads; and each launcher for real."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from support.commands import ROOT, TINY, train_here
from support.waiting import wait_for

from lab.config import compose
from lab.config.choices import HYDRA_GROUPS, first_sentence, group_choices
from lab.errors import LabError
from lab.runs.state import read_state
from lab.sweeps import launching

INSTALLED = all(
    importlib.util.find_spec(name) for name in ("joblib", "submitit", "optuna")
) and importlib.util.find_spec("hydra_plugins")
needs_extra = pytest.mark.skipif(not INSTALLED, reason="needs the extra sweeps")
FEW = (*TINY, "trainer.max_steps=2", "eval_every=1", "logger=none", "schedule.warmup_steps=0")
LONG = (*TINY, "trainer.max_steps=100000", "eval_every=100000", "logger=none", "save=true")


def launcher(kind: str, **options: Any) -> Any:
    names = {"basic": "BasicLauncher", "joblib": "JoblibLauncher", "local": "LocalLauncher", "slurm": "SlurmLauncher"}
    return type(names.get(kind, kind), (), {"joblib": options, "params": options})()


@pytest.mark.parametrize(
    ("made", "jobs", "expected"),
    [
        (launcher("basic"), 9, 1),
        (launcher("joblib", n_jobs=-1), 9, 4),
        (launcher("joblib", n_jobs=-2), 9, 3),
        (launcher("joblib", n_jobs=3), 9, 3),
        (launcher("joblib", n_jobs=3), 2, 2),
        (launcher("local", cpus_per_task=None), 9, 4),
        (launcher("local", cpus_per_task=2), 9, 2),
        (launcher("local", cpus_per_task=64), 9, 1),
        (launcher("slurm"), 9, 9),
        (launcher("Another"), 9, 9),
    ],
)
def test_jobs_at_a_time(made: Any, jobs: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "cores", lambda: 4)
    assert launching.at_once(made, jobs) == expected


@pytest.mark.parametrize(
    ("made", "together", "chosen", "expected"),
    [
        (launcher("joblib", n_jobs=-1), 2, None, "2"),
        (launcher("joblib", n_jobs=-1), 4, None, "1"),
        (launcher("joblib", n_jobs=-1), 4, "3", "3"),  # the user has the last word
        (launcher("local", cpus_per_task=None), 3, None, "1"),
        (launcher("local", cpus_per_task=2), 2, None, "2"),
        (launcher("slurm", cpus_per_task=8), 2, None, None),
        (launcher("basic"), 1, None, None),
    ],
)
def test_the_cores_are_shared_out(
    made: Any, together: int, chosen: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "cores", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS")
    if chosen is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    with launching.sharing_threads(made, together):
        assert os.environ.get("OMP_NUM_THREADS") == expected
        if launching.kind(made) == "joblib":
            assert made.joblib["n_jobs"] == together
    assert os.environ.get("OMP_NUM_THREADS") == chosen
    assert made.joblib.get("n_jobs") in (-1, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hydra/launcher=joblib", "seed=1,2"], "hydra/launcher=joblib needs more packages: pip install"),
        (["hydra/launcher=submitit_slurm", "seed=1,2"], "hydra/launcher=submitit_slurm needs more packages"),
        (["sweep=search"], "hydra/sweeper=search needs Optuna: pip install"),
    ],
)
def test_without_the_extra_a_sentence_says_what_to_install(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "Plugins", SimpleNamespace(instance=lambda: SimpleNamespace(class_name_to_class={})))
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = train_here(tmp_path, "-m", *words)
    assert done.code == 1
    assert said in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("group", HYDRA_GROUPS)
def test_every_file_says_who_should_choose_it(group: str) -> None:
    for choice in group_choices(group):
        assert len(first_sentence(group, choice)) > 20
        composed = compose.compose_quoted([f"{group}={choice}"], with_hydra=True)
        assert composed.hydra[group.removeprefix("hydra/")]._target_


@needs_extra
def test_the_files_of_launchers_have_options_that_exist() -> None:
    from hydra_plugins.hydra_joblib_launcher.config import JobLibLauncherConf
    from hydra_plugins.hydra_submitit_launcher.config import LocalQueueConf, SlurmQueueConf

    for choice, known in (
        ("joblib", JobLibLauncherConf),
        ("submitit_local", LocalQueueConf),
        ("submitit_slurm", SlurmQueueConf),
    ):
        composed = compose.compose_quoted([f"hydra/launcher={choice}", "hydra.sweep.dir=x"], with_hydra=True)
        chosen = composed.hydra.launcher
        assert chosen._target_ == known._target_
        assert set(chosen) <= {*known.__dataclass_fields__}


@needs_extra
def test_what_slurm_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sbatch file that submitit makes of the ready options."""
    from submitit.slurm import slurm

    asked: list[str] = []

    def no_cluster(self: Any, command: str) -> None:
        asked.append(self._make_submission_file_text(command, "0"))
        raise RuntimeError("no sbatch here")

    monkeypatch.setattr(slurm.SlurmExecutor, "affinity", classmethod(lambda _: 2))
    monkeypatch.setattr(slurm.SlurmExecutor, "_submit_command", no_cluster)
    words = ("hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "hydra.sweep.dir=here")
    done = train_here(tmp_path, "-m", *FEW, "seed=1,2", *words)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "the launcher could start no job (RuntimeError: no sbatch here)" in done.err
    lines = asked[0].splitlines()
    for line in ("nodes=1", "gpus-per-node=1", "partition=gpu", "signal=USR2@120", "requeue", "time=240"):
        assert f"#SBATCH --{line}" in lines


def states(folder: Path) -> list[str]:
    return [json.loads((folder / name / "state.json").read_text())["state"] for name in "012"]


@pytest.mark.slow
@needs_extra
@pytest.mark.parametrize("name", ["joblib", "submitit_local"])
def test_each_launcher_for_real(name: str, tmp_path: Path) -> None:
    """One folder, one job that fails, and the same losses as one after the other."""
    words = ("-m", *FEW, "optimizer.lr=1e38,1e-2,1e-3")
    alone = train_here(tmp_path, *words, "hydra.sweep.dir=alone")
    command = [sys.executable, "-m", "lab.train", *words, f"hydra/launcher={name}"]
    env = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, alone.code) == (1, 1), done.stderr
    (folder,) = tmp_path.glob("multirun/*/*")
    assert states(folder) == ["failed", "finished", "finished"]
    assert "1 of 3 jobs failed" in done.stderr
    assert "Traceback" not in done.stderr
    table = done.stdout.partition("\nsweep\n")[2]
    figures = [line.split()[:4] for line in alone.out.partition("\nsweep\n")[2].splitlines()]
    assert [line.split()[:4] for line in table.splitlines()] == figures
    threads = max(1, launching.cores() // min(3, launching.cores()))
    for number in "012":
        assert f"cpu, {threads} threads" in (folder / number / "train.log").read_text()
    if name == "joblib":
        once = {number: (folder / number / "state.json").read_bytes() for number in "12"}
        train_here(tmp_path, "-m", f"resume={folder}")
        assert {number: (folder / number / "state.json").read_bytes() for number in "12"} == once


@pytest.mark.slow
@needs_extra
def test_kills(tmp_path: Path) -> None:
    """A worker that is killed costs its job one more try, a sweep that is told to end saves its jobs first."""
    words = ["-m", *LONG, "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=here"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "lab.train", *words], cwd=tmp_path, env=env)
    jobs = [tmp_path / "here" / name for name in "01"]

    def trains(job: Path, besides: int = 0) -> int:
        """The process that trains it, once it has done a step."""
        with contextlib.suppress(LabError):  # not there yet; or taken away, to begin again
            told = read_state(job)
            return told.pid or 0 if told.step and told.state == "running" and told.pid != besides else 0
        return 0

    try:
        wait_for(lambda: all(map(trains, jobs)) or process.poll() is not None)
        first = trains(jobs[0])
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: trains(jobs[0], besides=first))  # joblib ends the other worker, too; each is tried alone
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    finally:
        for left in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
            left.kill()
        process.kill()
    assert (read_state(jobs[0]).state, read_state(jobs[1]).state) == ("stopped", "lost")
    assert list((jobs[0] / "checkpoints").glob("last*.ckpt"))


def test_help_names_the_launchers() -> None:
    from lab.commands import train_help

    text = train_help.text()
    assert "  hydra/launcher\n" in text
    assert "    joblib          Several jobs at a time" in text
