"""Trainings started, steered, forked, swept."""

from typing import Any

import httpx
from support.server import OVERRIDES, Server, in_state, run, train
from support.waiting import wait_for

LONG = {"trainer.max_steps": 100_000, "eval_every": 100_000, "save": True}


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
    large = client.post(f"/api/runs/{run_id}/resume", json={"overrides": {"data.batch_size": 10_000_000}})
    assert (large.status_code, large.json()["error"]["field"]) == (409, "confirmed")
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


def test_fork_and_names(client: httpx.Client, finished: str) -> None:
    untrained, checkpoint, *_ = client.get(f"/api/runs/{finished}/checkpoints").json()
    assert (untrained["step"], untrained["weights_only"], checkpoint["step"]) == (0, False, 4)
    parent = {"run": finished, "checkpoint": checkpoint["id"]}
    how = {"parent": parent, "overrides": {"trainer.max_steps": 14, "optimizer.lr": 1e-3}, "name": "bold"}
    forked = client.post("/api/train", json=how).json()
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


def test_a_sweep(client: httpx.Client) -> None:
    overrides = {**OVERRIDES, "trainer.max_steps": 2, "schedule.warmup_steps": 0}
    new = {"overrides": overrides, "sweep": {"optimizer.lr": [1e38, 1e-4], "seed": [1]}, "name": "two"}
    answer = client.post("/api/train", json=new)
    assert answer.status_code == 202, answer.text
    assert answer.json()["kind"] == "sweep"
    sweep = answer.json()["id"]

    def ended() -> Any:
        (found,) = [s for s in client.get("/api/sweeps").json() if s["id"] == sweep]
        return found if found["state"] == "ended" else None

    found = wait_for(ended)
    assert len(found["runs"]) == 2
    assert found["name"] == "two"
    states = {}
    for run_id in found["runs"]:
        assert run(client, run_id)["sweep"] == sweep
        rate = client.get(f"/api/runs/{run_id}/config").json()["optimizer"]["lr"]
        states[rate] = run(client, run_id)["state"]
    assert states == {1e38: "failed", 1e-4: "finished"}
