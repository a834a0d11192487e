"""Runs as the API tells of them."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from support.commands import scalars
from support.server import OVERRIDES, Server, folder_of, in_state, run, serving, train, write_run


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
    assert names[0] == "weights-00000000.ckpt"
    periodic = {"step-00000004.ckpt", "step-00000008.ckpt", "step-00000012.ckpt"}
    assert set(names[1:]) == {"best.ckpt", "last.ckpt", *periodic}
    steps = {c["name"]: c["step"] for c in client.get(f"/api/runs/{finished}/checkpoints").json()}
    assert steps["last.ckpt"] == 12
    assert steps["best.ckpt"] == results["best_step"]
    log = client.get(f"/api/runs/{finished}/log").json()
    assert "validation loss" in log["text"]
    part = client.get(f"/api/runs/{finished}/log", params={"after": log["end"] - 10}).json()
    assert (part["start"], part["end"]) == (log["end"] - 10, log["end"])


def test_files_by_several_names_are_told_as_one(server: Server, client: httpx.Client, finished: str) -> None:
    folder = folder_of(server, client, finished) / "checkpoints"
    told = client.get(f"/api/runs/{finished}/checkpoints").json()
    files = {one["name"]: (folder / one["name"]).stat() for one in told}
    sizes = {found.st_ino: found.st_size for found in files.values()}
    assert len(sizes) < len(files)  # the newest is last.ckpt, too
    assert sum(one["bytes"] for one in told if one["same_as"] is None) == sum(sizes.values())
    names = {one["id"]: one["name"] for one in told}
    for one in told:
        if one["same_as"] is not None:
            assert files[one["name"]].st_ino == files[names[one["same_as"]]].st_ino


def test_the_rate_of_a_run_that_has_ended_is_its_mean(server: Server, client: httpx.Client, finished: str) -> None:
    found = run(client, finished)
    assert found["tokens_per_second"] == found["results"]["tokens_per_second"]


def test_curves_are_tensorboards_tag_by_tag(server: Server, client: httpx.Client, finished: str) -> None:
    """TensorBoard keeps 32 bits of each number."""
    curves = scalars(folder_of(server, client, finished))
    found = client.get(f"/api/runs/{finished}/metrics").json()["series"]
    assert found.keys() == curves.keys() - {"best_val_loss"}  # of TensorBoard's table of runs: no curve
    for tag, series in found.items():
        assert dict(zip(series["steps"], series["values"], strict=True)) == pytest.approx(curves[tag], rel=1e-6), tag


@pytest.mark.slow
def test_runs_that_others_started_show_up(server: Server, client: httpx.Client) -> None:
    words = [f"{key}={value}" for key, value in OVERRIDES.items()]
    command = [sys.executable, "-m", "lab.train", *words, "trainer.max_steps=1", "hydra.run.dir=outputs/by-hand"]
    subprocess.run(command, cwd=server.root, check=True, capture_output=True)
    (found,) = [r for r in client.get("/api/runs").json() if r["path"] == "outputs/by-hand"]
    assert (found["state"], found["step"]) == ("finished", 1)
    every = client.get("/api/runs")
    page = client.get("/api/runs?offset=1&limit=1")
    assert page.json() == every.json()[1:2]
    assert page.headers["X-Total-Count"] == str(len(every.json()))


def test_a_failed_run_says_why_and_shows_its_last_lines(client: httpx.Client) -> None:
    run_id = train(client, **{"optimizer.lr": 1e38, "trainer.max_steps": 9})
    found = in_state(client, run_id, "failed")
    assert "diverged" in found["reason"]
    assert "error: training diverged" in found["log_tail"]
    alerts = [e for e in client.get(f"/api/runs/{run_id}/events").json()["events"] if e["kind"] == "alert"]
    assert "diverged" in alerts[-1]["message"]


@pytest.mark.slow
def test_ten_long_runs(tmp_path: Path) -> None:
    """Prints how much longer a thinned curve takes than a look at the health: a figure, not a verdict."""
    for number in range(10):
        write_run(tmp_path / "outputs" / f"run-{number}", 100_000)
    with serving(tmp_path) as server, server.client() as client:
        ids = [r["id"] for r in client.get("/api/runs").json()]
        times: dict[str, list[float]] = {"/api/health": [], "metrics": []}
        for turn in range(100):
            for name, path in (("/api/health", "/api/health"), ("metrics", f"/api/runs/{ids[turn % 10]}/metrics")):
                began = time.perf_counter()
                answer = client.get(path, params={"names": "train_loss", "points": 1000} if name == "metrics" else None)
                times[name].append(time.perf_counter() - began)
                if name == "metrics":
                    series = answer.json()["series"]["train_loss"]
                    assert len(series["values"]) <= 1000
                    assert series["total"] == 100_000
                    assert max(series["values"]) == 99.0  # the spike
                    assert len(answer.content) < 100_000
        tenth = {name: statistics.quantiles(found, n=20)[-1] for name, found in times.items()}
        print(f"95th percentile: metrics / health = {tenth['metrics'] / tenth['/api/health']:.1f}")
