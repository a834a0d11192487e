"""The server as a process: its port, its death, its return."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.server import Server, in_state, run, serving, train
from support.waiting import wait_for


def test_a_busy_port_is_one_sentence(server: Server) -> None:
    command = [sys.executable, "-m", "lab.dashboard", "--port", str(server.port)]
    done = subprocess.run(command, cwd=server.root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {server.port} of 127.0.0.1 cannot be used")
    assert len(done.stderr.strip().splitlines()) == 1


LONG = {"trainer.max_steps": 100_000, "eval_every": 100_000, "save": True}


@pytest.mark.slow
@pytest.mark.usefixtures("in_a_terminal")
def test_killed_and_started_again_the_server_has_lost_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, forking=False) as server:
        with server.client() as client:
            run_id = train(client, **LONG)
            in_state(client, run_id, "running")
            waiting = train(client, **{"trainer.max_steps": 2})
            wait_for(lambda: run(client, run_id)["step"] > 3)
        token, job = server.token, json.loads((run_path(tmp_path, run_id) / "state.json").read_text())
        server.kill()
        assert psutil.pid_exists(job["pid"])  # the training goes on
        server.start()
        assert server.token == token  # pages that are open stay open
        with server.client() as client:
            found = in_state(client, run_id, "running")
            wait_for(lambda: run(client, run_id)["step"] > found["step"])
            assert run(client, waiting)["state"] == "queued"
            client.post(f"/api/runs/{run_id}/stop")
            in_state(client, run_id, "stopped")
            in_state(client, waiting, "finished")  # the queue has outlived the server, too
            numbers = [e["seq"] for e in client.get(f"/api/runs/{run_id}/events?limit=2000").json()["events"]]
            assert numbers == sorted(set(numbers))
            # A training that is killed is lost, and can go on.
            third = train(client, **LONG, save_every=1)
            in_state(client, third, "running")
            wait_for(lambda: client.get(f"/api/runs/{third}/checkpoints").json())
            os.kill(json.loads((tmp_path / run(client, third)["path"] / "state.json").read_text())["pid"], 9)
            lost = in_state(client, third, "lost")
            assert "gone" in lost["reason"]
            assert client.post(f"/api/runs/{third}/resume").status_code == 202
            in_state(client, third, "running")
        server.kill(signal.SIGINT)
        assert server.process is not None
        assert server.process.returncode == 0
        pid = json.loads((tmp_path / run_path(tmp_path, third) / "state.json").read_text())["pid"]
        assert psutil.pid_exists(pid)  # Ctrl-C for the server is none for the training


def run_path(root: Path, run_id: str) -> Path:
    from lab.dashboard.settings import Settings
    from lab.dashboard.store.run_folders import Runs

    return Runs(Settings(root, "")).folder(run_id)
