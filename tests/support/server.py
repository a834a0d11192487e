"""What the tests of the dashboard share: a real server process, and a client that knows its token."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import websockets
from support.commands import TINY
from support.forked import TESTS_TOO, shared
from support.waiting import wait_for

from lab.files.run_files import EVENTS_FILE

OVERRIDES: dict[str, Any] = {
    "model.emb_dim": 32,
    "model.n_layers": 2,
    "model.n_heads": 2,
    "model.context_length": 16,
    "sample.max_tokens": 4,
    "data.max_val_tokens": 300,
    "trainer": "cpu",
    "log_every": 1,
}
"""``TINY`` as the API takes it."""
assert {word.partition("=")[0] for word in TINY} <= OVERRIDES.keys()


class Server:
    """``python -m lab.dashboard`` in a folder; if it is ``forking``, its trainings need not import torch first."""

    def __init__(self, root: Path, forking: bool) -> None:
        self.root = root
        self._forking = forking and sys.platform == "linux"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        env = {**os.environ, "PYTHONPATH": TESTS_TOO, "OMP_NUM_THREADS": "1"}
        module = "support.forking_dashboard" if self._forking else "lab.dashboard"
        variables, descriptors = shared() if self._forking else ({}, ())
        with (self.root / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "--port", str(self.port)],
                cwd=self.root,
                env=env | variables,
                pass_fds=descriptors,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().split()[-1]
        self.token = self.link.partition("token=")[2]
        wait_for(lambda: self.answers())
        return self

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.root / "server.log").read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/api/health", trust_env=False).status_code == 200
        return False

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=300)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}", "X-Lab": "1"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False)

    def socket(self, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return websockets.connect(
            f"ws://127.0.0.1:{self.port}/api/ws", additional_headers=headers, max_size=None, proxy=None, **options
        )


@contextlib.contextmanager
def serving(root: Path, forking: bool = True) -> Iterator[Server]:
    """A server that is gone afterwards, and its trainings with it."""
    server = Server(root, forking).start()
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        for file in root.rglob("job.json"):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                os.kill(json.loads(file.read_text())["pid"], signal.SIGKILL)


def train(client: httpx.Client, **changes: Any) -> str:
    """Starts a tiny training; returns its id."""
    answer = client.post("/api/train", json={"overrides": {**OVERRIDES, **changes}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def run(client: httpx.Client, run_id: str) -> dict[str, Any]:
    """What the server says of a run."""
    answer = client.get(f"/api/runs/{run_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def in_state(client: httpx.Client, run_id: str, *states: str) -> dict[str, Any]:
    """Waits until a run is in one of ``states``."""

    def look() -> dict[str, Any] | None:
        found = run(client, run_id)
        unexpected = {"failed", "lost"} - set(states)
        assert found["state"] not in unexpected, found
        return found if found["state"] in states else None

    return dict(wait_for(look))


def talk(coroutine: Any) -> Any:
    """Runs a conversation over a WebSocket."""
    return asyncio.run(asyncio.wait_for(coroutine, 600))


def folder_of(server: Server, client: httpx.Client, run_id: str) -> Path:
    return server.root / run(client, run_id)["path"]


def write_run(folder: Path, points: int) -> None:
    """The folder of a run that has logged so many points, with a single spike."""
    folder.mkdir(parents=True)
    with (folder / EVENTS_FILE).open("w") as file:
        for step in range(points):
            loss = 99.0 if step == points // 3 else 5 - 3 * step / points
            line = {"seq": step, "time": 1.8e9 + step, "kind": "metrics", "step": step, "train_loss": loss}
            file.write(json.dumps(line | {"grad_norm": 1.0, "learning_rate": 1e-3}) + "\n")
