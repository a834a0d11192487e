"""The dashboard's server as a process: trainings started, watched, steered; killed and started again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from support.commands import scalars
from support.server import OVERRIDES, Server, in_state, run, serving, talk, train
from support.waiting import wait_for

from lab.files.run_files import EVENTS_FILE
from lab.runs import events

LONG = {"trainer.max_steps": 100_000, "eval_every": 100_000, "save": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


@pytest.fixture(scope="module")
def finished(client: httpx.Client) -> str:
    """A run that has come to its end."""
    run_id = train(client, **{"trainer.max_steps": 12, "save": True, "save_every": 4, "eval_every": 4})
    in_state(client, run_id, "finished")
    return run_id


def folder_of(server: Server, client: httpx.Client, run_id: str) -> Path:
    return server.root / run(client, run_id)["path"]


def test_health_needs_no_token_and_answers_to_both_names(server: Server) -> None:
    for name in ("127.0.0.1", "localhost"):
        answer = httpx.get(f"http://{name}:{server.port}/api/health", trust_env=False)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert answer.json()["device"]


def test_a_run_from_start_to_end(server: Server, client: httpx.Client, finished: str) -> None:
    found = run(client, finished)
    results = json.loads((server.root / found["path"] / "results.json").read_text())
    assert found["step"] == found["total_steps"] == 12
    assert found["best_val_loss"] == pytest.approx(results["best_val_loss"])
    assert found["parameters"] == results["parameters"]
    assert found["results"]["val_loss"] == results["val_loss"]
    assert found["command"].startswith("python -m lab.train model.emb_dim=32")
    config = client.get(f"/api/runs/{finished}/config").json()
    assert config["model"]["emb_dim"] == 32
    assert [s["step"] for s in client.get(f"/api/runs/{finished}/samples").json()] == [0, 4, 8, 12]
    names = [c["name"] for c in client.get(f"/api/runs/{finished}/checkpoints").json()]
    assert set(names) == {"best.ckpt", "last.ckpt", "step-00000004.ckpt", "step-00000008.ckpt", "step-00000012.ckpt"}
    steps = {c["name"]: c["step"] for c in client.get(f"/api/runs/{finished}/checkpoints").json()}
    assert steps["last.ckpt"] == 12
    assert steps["best.ckpt"] == results["best_step"]
    log = client.get(f"/api/runs/{finished}/log").json()
    assert "validation loss" in log["text"]
    part = client.get(f"/api/runs/{finished}/log", params={"after": log["end"] - 10}).json()
    assert (part["start"], part["end"]) == (log["end"] - 10, log["end"])


def test_curves_are_tensorboards_tag_by_tag(server: Server, client: httpx.Client, finished: str) -> None:
    """TensorBoard keeps 32 bits of each number."""
    curves = scalars(folder_of(server, client, finished))
    found = client.get(f"/api/runs/{finished}/metrics").json()["series"]
    assert found.keys() == curves.keys() - {"best_val_loss"}  # of TensorBoard's table of runs: no curve
    for tag, series in found.items():
        assert dict(zip(series["steps"], series["values"], strict=True)) == pytest.approx(curves[tag], rel=1e-6), tag


def test_runs_that_others_started_show_up(server: Server, client: httpx.Client) -> None:
    words = [f"{key}={value}" for key, value in OVERRIDES.items()]
    command = [sys.executable, "-m", "lab.train", *words, "trainer.max_steps=1", "hydra.run.dir=outputs/by-hand"]
    subprocess.run(command, cwd=server.root, check=True, capture_output=True)
    (found,) = [r for r in client.get("/api/runs").json() if r["path"] == "outputs/by-hand"]
    assert (found["state"], found["step"]) == ("finished", 1)


def test_steering(server: Server, client: httpx.Client) -> None:
    run_id = train(client, **LONG)
    in_state(client, run_id, "running")
    waiting = train(client, **LONG)
    assert run(client, waiting)["state"] == "queued"
    assert client.post(f"/api/runs/{waiting}/pause").status_code == 409
    assert client.post(f"/api/runs/{run_id}/resume").status_code == 409

    assert client.post(f"/api/runs/{run_id}/pause").status_code == 202
    held = in_state(client, run_id, "paused")
    again = client.post(f"/api/runs/{run_id}/pause")
    assert again.status_code == 409
    assert "the run is paused" in again.json()["error"]["message"]
    assert client.delete(f"/api/runs/{run_id}").status_code == 409
    assert client.post(f"/api/runs/{run_id}/save").status_code == 202
    wait_for(lambda: [c for c in client.get(f"/api/runs/{run_id}/checkpoints").json() if c["name"][:5] == "saved"])
    assert run(client, run_id)["step"] == held["step"]
    assert run(client, waiting)["state"] == "queued"  # the device is still taken
    assert client.post(f"/api/runs/{run_id}/resume").status_code == 202
    in_state(client, run_id, "running")
    assert client.post(f"/api/runs/{run_id}/evaluate").status_code == 202
    wait_for(lambda: client.get(f"/api/runs/{run_id}/metrics?names=val_loss").json()["series"]["val_loss"]["total"] > 1)

    assert client.post(f"/api/runs/{run_id}/stop").status_code == 202
    stopped = in_state(client, run_id, "stopped")
    in_state(client, waiting, "running")  # its turn has come
    client.post(f"/api/runs/{waiting}/stop")
    in_state(client, waiting, "stopped")
    assert client.post(f"/api/runs/{run_id}/stop").status_code == 409

    before = client.get(f"/api/runs/{run_id}/events", params={"limit": 2000}).json()["last"]
    assert client.post(f"/api/runs/{run_id}/resume", json={"overrides": {}}).status_code == 202
    going_on = in_state(client, run_id, "running")
    wait_for(lambda: run(client, run_id)["step"] > stopped["step"] + 2)
    assert going_on["seq"] > before  # numbers go on
    client.post(f"/api/runs/{run_id}/stop")
    in_state(client, run_id, "stopped")
    steps = client.get(f"/api/runs/{run_id}/metrics?names=train_loss").json()["series"]["train_loss"]["steps"]
    assert steps == list(range(1, steps[-1] + 1))  # no gap, no double
    assert client.delete(f"/api/runs/{waiting}").status_code == 204
    assert client.get(f"/api/runs/{waiting}").status_code == 404


def test_a_queued_run_can_be_taken_back(client: httpx.Client) -> None:
    first = train(client, **LONG)
    second = train(client, **LONG)
    assert client.post(f"/api/runs/{second}/stop").status_code == 202
    assert run(client, second)["state"] == "stopped"
    assert run(client, second)["reason"] == "taken out of the queue"
    in_state(client, first, "running")
    client.post(f"/api/runs/{first}/stop")
    in_state(client, first, "stopped")


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


def test_fork_and_names(client: httpx.Client, finished: str) -> None:
    checkpoint = client.get(f"/api/runs/{finished}/checkpoints").json()[0]
    assert checkpoint["step"] == 4
    how = {"checkpoint": checkpoint["id"], "overrides": {"trainer.max_steps": 14, "optimizer.lr": 1e-3}, "name": "bold"}
    forked = client.post(f"/api/runs/{finished}/fork", json=how).json()
    wait_for(lambda: run(client, forked["id"])["parent"] == finished)  # known before its end
    done = in_state(client, forked["id"], "finished")
    assert (done["name"], done["step"], done["parent"]) == ("bold", 14, finished)
    rates = client.get(f"/api/runs/{forked['id']}/metrics?names=learning_rate").json()["series"]["learning_rate"]
    old = client.get(f"/api/runs/{finished}/metrics?names=learning_rate").json()["series"]["learning_rate"]
    assert rates["values"][:4] == old["values"][:4]
    assert rates["values"][4] > 2 * old["values"][4]
    changed = client.patch(f"/api/runs/{forked['id']}", json={"tags": ["a", "b"], "note": "hm"}).json()
    assert (changed["name"], changed["tags"], changed["note"]) == ("bold", ["a", "b"], "hm")
    assert client.patch(f"/api/runs/{forked['id']}", json={"color": "red"}).status_code == 422


def test_a_failed_run_says_why_and_shows_its_last_lines(client: httpx.Client) -> None:
    run_id = train(client, **{"optimizer.lr": 1e38, "trainer.max_steps": 9})
    found = in_state(client, run_id, "failed")
    assert "diverged" in found["reason"]
    assert "error: training diverged" in found["log_tail"]
    alerts = [e for e in client.get(f"/api/runs/{run_id}/events").json()["events"] if e["kind"] == "alert"]
    assert "diverged" in alerts[-1]["message"]


def test_a_sweep(client: httpx.Client) -> None:
    new = {"overrides": {**OVERRIDES, "trainer.max_steps": 2}, "sweep": {"optimizer.lr": [1e-3, 1e-4], "seed": [1]}}
    answer = client.post("/api/sweeps", json=new)
    assert answer.status_code == 202, answer.text
    sweep = answer.json()["id"]

    def ended() -> Any:
        (found,) = [s for s in client.get("/api/sweeps").json() if s["id"] == sweep]
        return found if found["state"] == "ended" else None

    found = wait_for(ended)
    assert len(found["runs"]) == 2
    rates = set()
    for run_id in found["runs"]:
        assert run(client, run_id)["state"] == "finished"
        assert run(client, run_id)["sweep"] == sweep
        rates.add(client.get(f"/api/runs/{run_id}/config").json()["optimizer"]["lr"])
    assert rates == {1e-3, 1e-4}


def test_what_is_said_live_is_what_stands_in_the_log(server: Server, client: httpx.Client) -> None:
    """From the first event on, over a connection that breaks in the middle and comes back: no gap, no double."""
    run_id = train(client, **{"trainer.max_steps": 150, "eval_every": 20})

    async def listen(since: int, enough: int | None) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        async with server.socket() as socket:
            assert json.loads(await socket.recv())["type"] == "hello"
            await socket.send(json.dumps({"type": "since", "runs": {run_id: since}}))
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "events" and message["run"] == run_id:
                    told += message["events"]
                    if enough is not None and len(told) >= enough:
                        return told
                if told and told[-1]["kind"] == "state" and told[-1]["state"] == "finished":
                    return told

    first = talk(listen(-1, 40))
    rest = talk(listen(first[-1]["seq"], None))
    in_state(client, run_id, "finished")
    lines = (folder_of(server, client, run_id) / EVENTS_FILE).read_text().splitlines()
    assert first + rest == [json.loads(line) for line in lines]
    page = client.get(f"/api/runs/{run_id}/events", params={"after": 10, "limit": 5}).json()
    assert page["events"] == [json.loads(line) for line in lines][11:16]
    assert page["more"] is True


def test_numbers_that_json_has_no_word_for_arrive_by_name(server: Server, client: httpx.Client) -> None:
    folder = server.root / "outputs" / "odd"
    folder.mkdir(parents=True)
    log = events.EventLog(folder)
    for step, value in enumerate([1.0, float("nan"), float("inf"), -float("inf")], start=1):
        log.metrics(step, {"train_loss": value})
    log.close()
    with (folder / EVENTS_FILE).open("a") as file:
        file.write('{"seq": 4, "kind": "metrics", "step": 5, "train_l')  # the trainer is just writing this
    (found,) = [r for r in client.get("/api/runs").json() if r["path"] == "outputs/odd"]
    series = client.get(f"/api/runs/{found['id']}/metrics").json()["series"]["train_loss"]
    assert series["values"] == [1.0, "NaN", "Infinity", "-Infinity"]
    with (folder / EVENTS_FILE).open("a") as file:
        file.write('oss": 2.0}\n')
    series = client.get(f"/api/runs/{found['id']}/metrics").json()["series"]["train_loss"]
    assert series["values"][-1] == 2.0


@pytest.mark.slow
def test_killed_and_started_again_the_server_has_lost_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
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


def test_a_busy_port_is_one_sentence(server: Server) -> None:
    command = [sys.executable, "-m", "lab.dashboard", "--port", str(server.port)]
    done = subprocess.run(command, cwd=server.root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {server.port} of 127.0.0.1 cannot be used")
    assert len(done.stderr.strip().splitlines()) == 1
