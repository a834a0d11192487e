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
