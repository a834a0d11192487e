"""Whose turn it is, and whose list that is."""

import json
import os
import signal
from pathlib import Path

import pytest
from support.server import in_state, run, serving, train
from support.waiting import wait_for


def test_each_device_has_a_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with a GPU, a run on the CPU need not wait for one on the GPU; nor be started beside its like."""
    from lab.dashboard.settings import Settings
    from lab.dashboard.store.run_folders import Runs
    from lab.dashboard.trainings.processes import Jobs
    from lab.dashboard.trainings.queue import Job

    settings = Settings(tmp_path, "")
    jobs = Jobs(settings, Runs(settings))
    started: list[str] = []

    def launch(job: Job) -> None:
        jobs.queue.put(job.started(os.getpid()))
        started.append(job.folder.name.rpartition("-")[2])

    monkeypatch.setattr(jobs, "_launch", launch)
    for name, device in (("one", "gpu"), ("two", "gpu"), ("three", "cpu"), ("four", "cpu")):
        jobs.enqueue([], name, device)
    assert started == ["one", "three"]


def test_each_gpu_has_a_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training is shown its own GPU only; one over several waits until all are free, and is passed by nobody."""
    from lab.dashboard.settings import Settings
    from lab.dashboard.store.run_folders import Runs
    from lab.dashboard.trainings import processes
    from lab.system import device

    counted = {"gpu": 2, "cpu": 1}
    monkeypatch.setattr(device, "count", lambda name: counted[name])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    settings = Settings(tmp_path, "")
    jobs = processes.Jobs(settings, Runs(settings))
    started: list[tuple[str, str | None]] = []

    class Started:
        """In place of a process: this one, which is alive."""

        pid = os.getpid()

        def __init__(self, command: list[str], env: dict[str, str], **_: object) -> None:
            started.append((command[-1].rpartition("-")[2], env["CUDA_VISIBLE_DEVICES"]))

        def poll(self) -> None:
            return None

    monkeypatch.setattr(processes.subprocess, "Popen", Started)
    one = jobs.enqueue([], "one", "gpu")
    jobs.enqueue([], "two", "gpu")
    jobs.enqueue([], "three", "gpu")
    assert started == [("one", "4"), ("two", "6")]
    jobs.queue.drop(one)
    jobs.advance()
    assert started[2:] == [("three", "4")]
    both = jobs.enqueue(["trainer.devices=2"], "both", "gpu")
    jobs.enqueue([], "last", "gpu")
    for job in jobs.queue.jobs()[:2]:
        jobs.queue.drop(job.folder)
        jobs.advance()
    assert started[3:] == [("both", "4,6")]
    jobs.queue.drop(both)
    jobs.advance()
    assert started[4:] == [("last", "4")]


@pytest.mark.slow
def test_a_queue_for_this_user_alone_that_a_new_server_takes_up(tmp_path: Path) -> None:
    """And of which nothing lies where it could be downloaded to."""
    state = Path(os.environ["LAB_STATE"])
    with serving(tmp_path, forking=False) as server:
        with server.client() as client:
            first = train(client, **{"trainer.max_steps": 100_000, "eval_every": 100_000})
            in_state(client, first, "running")
            waiting = train(client, **{"trainer.max_steps": 1})
            assert run(client, waiting)["state"] == "queued"
        server.kill()
        files = [file for file in state.glob("*/queue/*.json") if str(tmp_path) in file.read_text()]
        assert len(files) == 2
        assert all(file.stat().st_mode & 0o077 == 0 for file in files)
        server.start()
        with server.client() as client:
            assert run(client, waiting)["state"] == "queued"
            os.kill(
                json.loads((tmp_path / run(client, first)["path"] / "state.json").read_text())["pid"], signal.SIGKILL
            )
            in_state(client, waiting, "finished")
            wait_for(lambda: not any(file.exists() for file in files))  # what has ended is forgotten
