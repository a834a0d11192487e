"""A root with folders that somebody has downloaded: what stands in them is shown, and never obeyed or followed."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import torch
from support.commands import TINY, train_here
from support.server import OVERRIDES, Server, in_state, serving, train

from lab.files.run_files import EVENTS_FILE
from lab.runs import checkpoint

PLANTED = "planted"
"""What no function that a run folder names may write, and no link may lead to."""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, outside: Path) -> Iterator[Server]:
    """A server that finds all this when it starts, with modules lying about that are called like those it needs."""
    root = tmp_path_factory.mktemp("root")
    text = root / "fox.txt"
    text.write_text("The fox and the crow. " * 400)
    words = (*TINY, "save=true", "corpus=text", "logger=none", "trainer.max_steps=2")
    for name in ("good", "bad"):
        done = train_here(root, *words, f"corpus.path={text}", f"hydra.run.dir=outputs/day/{name}")
        assert done.code == 0, done.err
    for name in ("torch", "yaml", "hydra", "sitecustomize", "lightning", "multiprocessing", "json", "pathlib"):
        (root / f"{name}.py").write_text(f"open({str(outside / PLANTED)!r}, 'w')\nraise SystemExit(1)\n")
    (root / "hydra_plugins").mkdir()
    source = root / "outputs" / "source"
    source.write_text("x")
    call = [f"+callbacks.x={{_target_: shutil.copyfile, src: '{source}', dst: '{outside / PLANTED}'}}"]
    job = {"words": [*words, *call], "device": "cpu", "queued": 1.0, "pid": None}
    for folder, name in (("outputs/day/queued", "job.json"), ("multirun/day/sweep", "sweep.json")):
        plant(root / folder, name, job)
        plant(root / folder, "state.json", {"state": "queued", "pid": None, "updated": 1.0})
    plant(root / "outputs", ".dashboard-token", "t" * 43)
    with serving(root, forking=False) as server:
        yield server


def plant(folder: Path, name: str, content: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def by_path(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {found["path"]: found for found in client.get("/api/runs").json()}


@pytest.mark.slow
def test_nothing_in_a_run_folder_is_an_instruction(server: Server, client: httpx.Client, outside: Path) -> None:
    assert server.token != "t" * 43
    # A training of our own passes through the queue after it, and is not held up by modules that lie in the root.
    ours = train(client, **{"trainer.max_steps": 1, "logger": "none"})
    in_state(client, ours, "finished")
    found = by_path(client)["outputs/day/queued"]
    assert (found["state"], "queue" in found["reason"]) == ("stopped", True)
    for command in ("pause", "stop", "resume"):
        assert client.post(f"/api/runs/{found['id']}/{command}").status_code == 409
    assert not (outside / PLANTED).exists()
    assert not (server.root / "outputs" / "day" / "queued" / "train.log").exists()
    assert client.delete(f"/api/runs/{found['id']}").status_code == 204


def test_a_pid_out_of_a_folder_is_no_process_of_ours(server: Server, client: httpx.Client) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        process = {"pid": bystander.pid, "process_started": psutil.Process(bystander.pid).create_time()}
        folder = server.root / "multirun" / "day" / "sweep"
        plant(folder, "sweep.json", {"words": [], "device": "cpu", "queued": 1.0, **process})
        plant(folder, "mine.txt", "mine")
        (sweep,) = client.get("/api/sweeps").json()
        assert sweep["state"] == "ended"
        assert client.post(f"/api/sweeps/{sweep['id']}/stop").status_code == 409
        plant(folder, "sweep.json", {"words": 7, "pid": None})
        assert client.post(f"/api/sweeps/{sweep['id']}/stop").status_code == 409
        assert client.get("/api/sweeps").status_code == 200
        plant(server.root / "outputs" / "day" / "alive", "job.json", {"words": [], "queued": 1.0, **process})
        plant(server.root / "outputs" / "day" / "alive", "state.json", {"state": "running", "step": 1})
        found = by_path(client)["outputs/day/alive"]
        assert found["state"] == "lost"  # it names no process
        assert client.delete(f"/api/runs/{found['id']}").status_code == 204
        assert bystander.poll() is None
        assert (folder / "mine.txt").exists()
    finally:
        bystander.kill()
        bystander.communicate()


def forge(server: Server, name: str, **corpus: str) -> None:
    """Gives a run's checkpoints other options of the corpus."""
    for path in (server.root / "outputs" / "day" / name / "checkpoints").glob("*.ckpt"):
        content = torch.load(path, weights_only=True)
        content["lab"]["config"]["corpus"].update(corpus)
        checkpoint.save(content, path)


@pytest.mark.slow
def test_what_a_checkpoint_brings_along_is_allowed_no_more_than_what_is_asked(
    server: Server, client: httpx.Client, outside: Path
) -> None:
    (outside / "secret.txt").write_text("The fox and the crow. " * 400)
    forge(server, "bad", path=str(outside / "secret.txt"))
    run_id = by_path(client)["outputs/day/bad"]["id"]
    plant(server.root / "outputs" / "day" / "bad", "state.json", {"state": "stopped", "pid": None})
    chosen = client.get(f"/api/runs/{run_id}/checkpoints").json()[-1]["id"]
    more = {"trainer.max_steps": 3, "logger": "none"}
    for answer in (
        client.post(f"/api/runs/{run_id}/resume", json={"overrides": more}),
        client.post("/api/train", json={"parent": {"run": run_id, "checkpoint": chosen}, "overrides": more}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["field"] == "corpus.path"
    good = by_path(client)["outputs/day/good"]["id"]
    chosen = client.get(f"/api/runs/{good}/checkpoints").json()[-1]["id"]
    forked = client.post("/api/train", json={"parent": {"run": good, "checkpoint": chosen}, "overrides": more})
    assert forked.status_code == 202, forked.text
    in_state(client, forked.json()["id"], "finished")


@pytest.mark.parametrize("name", ["commands", "checkpoints", ".hydra", "train.log", "events.jsonl", ".lock", "pipe"])
def test_no_training_goes_on_where_something_leads_out(
    server: Server, client: httpx.Client, outside: Path, name: str
) -> None:
    folder = server.root / "outputs" / "day" / "good"
    plant(folder, "state.json", {"state": "stopped", "pid": None})
    found, moved = by_path(client)["outputs/day/good"]["id"], folder / f"{name}.moved"
    (outside / "mine").write_text("mine")
    with contextlib.suppress(FileNotFoundError):
        (folder / name).rename(moved)
    if name == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to(outside if "." not in name[1:] else outside / "mine")
    try:
        answer = client.post(f"/api/runs/{found}/resume", json={"overrides": {"trainer.max_steps": 9}})
        assert answer.status_code == 409, answer.text
        assert name in answer.json()["error"]["message"] or name == "checkpoints"
        assert os.listdir(outside).count("mine") == 1
        assert (outside / "mine").read_text() == "mine"
    finally:
        (folder / name).unlink()
        with contextlib.suppress(FileNotFoundError):
            moved.rename(folder / name)


def test_nothing_is_written_through_a_link(server: Server, client: httpx.Client, outside: Path) -> None:
    elsewhere = outside / "elsewhere"
    elsewhere.mkdir()
    folder, uploads = server.root / "outputs" / "day" / "good", server.root / "outputs" / ".corpora"
    run_id = by_path(client)["outputs/day/good"]["id"]
    chosen = client.get(f"/api/runs/{run_id}/checkpoints").json()[0]["id"]
    today = server.root / "multirun" / time.strftime("%Y-%m-%d")
    for link in (folder / "exports", uploads, folder / "notes.json", today):
        link.symlink_to(elsewhere / "notes.json" if link.suffix else elsewhere)
    try:
        assert client.post(f"/api/checkpoints/{chosen}/export").status_code == 409
        assert client.post("/api/corpora", json={"name": "a", "text": "b"}).status_code == 409
        assert client.post("/api/train", json={"sweep": {"seed": [1, 2]}}).status_code == 409
        assert client.patch(f"/api/runs/{run_id}", json={"name": "b"}).status_code == 200  # the link is replaced
        assert os.listdir(elsewhere) == []
    finally:
        for link in (folder / "exports", uploads, today):
            link.unlink()
    # A command, too: this one is alive, and its folder of commands is somebody else's.
    me = {"pid": os.getpid(), "process_started": psutil.Process().create_time()}
    plant(server.root / "outputs" / "day" / "live", "state.json", {"state": "running", **me})
    (server.root / "outputs" / "day" / "live" / "commands").symlink_to(elsewhere)
    live = by_path(client)["outputs/day/live"]["id"]
    answer = client.post(f"/api/runs/{live}/save")
    plant(server.root / "outputs" / "day" / "live", "state.json", {"state": "stopped", "pid": None})
    assert answer.status_code == 409
    assert os.listdir(elsewhere) == []


DEEP = '{"a":' * 500 + "1" + "}" * 500
STATE = '{"state": "stopped", "pid": null, '
ODD = {
    "state.json": [
        STATE + '"reason": "\\ud800"}',
        STATE + '"step": ' + "9" * 400 + "}",
        STATE + '"updated": NaN, "tokens_per_second": Infinity, "step": 1e999}',
        STATE + '"total_steps": [], "reason": {}}',
        STATE + '"reason": ' + DEEP + "}",
        "[" * 100_000,
        '{"state": "running", "pid": -1, "process_started": 1}',
        '{"state": "running", "pid": 1, "process_started": 1e999}',
        '{"state": ["running"], "pid": 1}',
    ],
    "notes.json": ['{"name": "\\udfff", "tags": 3}', '{"name": 3, "tags": ["\\ud800"], "note": []}', '{"name": NaN}'],
    "results.json": ['{"a": NaN, "versions": 7, "parent": "\\ud800", "total_steps": 1e400}', DEEP],
    "job.json": ['{"words": 7}', '{"words": ["\\ud800", {}]}'],
    "config.yaml": [
        "model: {n_layers: 1000000000, emb_dim: 8, n_heads: 1}\nsave: 1\n",
        'a: "\\ud800"\n',
        "a: &a [*a]\n",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(c + 1)}: &{chr(c + 1)} [{', '.join([f'*{chr(c)}'] * 9)}]\n" for c in range(97, 106)),
        "a: !!binary gIGC\nb: 2020-13-45\n",
        "a: !!binary gIGC\nb: 2020-01-02\n? [1]\n: 2\n",
        "model: {emb_dim: 9" + "9" * 400 + ", n_layers: 1}\n",
        "model: {emb_dim: 900000000000000000, n_layers: 1}\n",
        "model: {emb_dim: [1], n_layers: {}}\ntrainer: {accelerator: [1]}\nresume: [1]\ncorpus: {name: []}\n",
    ],
    EVENTS_FILE: [
        '{"seq": 1, "kind": "sample", "step": 1, "text": "\\ud800"}\n{"seq": 2, "kind": "sample", "step": "x"}\n',
        '{"seq": ' + "9" * 400 + ', "kind": "metrics"}\n{"seq": 3, "kind": "checkpoint", "path": "a", "step": {}}\n',
        '{"seq": 1, "kind": "metrics", "step": 1, "time": ' + "9" * 400 + ', "loss": ' + "9" * 400 + "}\n",
        '{"seq": 1, "kind": "metrics", "step": NaN, "time": Infinity, "loss": NaN, "\\ud800": 1e999}\n',
        '{"seq": -5, "kind": "metrics", "step": 1, "loss": 1}\n{"seq": true, "kind": 7}\n',
        '{"seq": 1, "kind": "sample", "x": ' + DEEP + "}\n",
        "[" * 100_000 + "\n",
    ],
}
"""What somebody may have written into the files of a run."""


@pytest.mark.slow
def test_no_file_of_one_run_hides_the_others(server: Server, client: httpx.Client) -> None:
    day = server.root / "outputs" / "odd"
    before = set(by_path(client))
    for file, contents in ODD.items():
        for number, content in enumerate(contents):
            plant(day / f"{file}-{number}", file, content)
            if file in ("notes.json", "config.yaml"):
                plant(day / f"{file}-{number}", "state.json", STATE + '"step": 1}')
    for file in ODD:
        (day / f"{file}-bytes").mkdir()
        (day / f"{file}-bytes" / "state.json").write_text(STATE + '"step": 1}')
        (day / f"{file}-bytes" / file).write_bytes(b'\xff\xfe{"\x00')
        (day / f"{file}-pipe").mkdir()
        (day / f"{file}-pipe" / "results.json").write_text("{}")
        (day / f"{file}-pipe" / file).unlink(missing_ok=True)
        os.mkfifo(day / f"{file}-pipe" / file)
    with contextlib.suppress(OSError):  # a name that is no text, where the file system takes one
        plant(Path(os.fsdecode(os.fsencode(day) + b"/\xff")), "state.json", STATE + '"step": 1}')
    try:
        found = by_path(client)
        assert before < set(found)
        # Where a pipe is the only file by which a run could be known, it is none.
        assert len(set(found) - before) >= len(os.listdir(day)) - 1
        for odd in (r for path, r in found.items() if path not in before):
            for what in (
                "",
                "/metrics",
                "/events",
                "/events?notes=true",
                "/samples",
                "/log",
                "/checkpoints",
                "/config",
            ):
                answer = client.get(f"/api/runs/{odd['id']}{what}")
                assert answer.status_code == 200, (odd["path"], what, answer.text)
                json.loads(answer.text, parse_constant=pytest.fail)
        assert found["outputs/odd/config.yaml-0"]["parameters"] > 10**9
        for path in ("/api/sweeps", "/api/checkpoints", "/api/corpora", "/api/health"):
            assert client.get(path).status_code == 200
        # To name one of them goes as well as ever.
        assert (
            client.patch(f"/api/runs/{found['outputs/odd/notes.json-0']['id']}", json={"name": "x"}).json()["name"]
            == "x"
        )
    finally:
        for pipe in day.glob("*-pipe/*"):
            if pipe.is_fifo():
                pipe.unlink()


assert OVERRIDES
