"""By which signals a process ends, and in what order it leaves things."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.commands import ROOT, TINY, train_here
from support.control import LONG, state
from support.waiting import wait_for

from lab.commands import entry
from lab.config.compose import compose_config
from lab.config.schema import check
from lab.data import token_file
from lab.errors import Interrupted
from lab.system.signals import ENDING, Signals
from lab.training import display
from lab.training.run import train

pytestmark = pytest.mark.usefixtures("in_a_terminal")
OPTIONS = (*TINY, "trainer.max_steps=4", "eval_every=4", "save=true", "hydra.run.dir=run")
QUIETLY = [getattr(signal, name) for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGQUIT")]


@pytest.mark.parametrize("number", QUIETLY)
def test_what_tells_a_run_to_end_ends_it_saved(number: signal.Signals, between_steps: Any, tmp_path: Path) -> None:
    between_steps((), (number,))
    done = train_here(tmp_path, *OPTIONS)
    assert (done.code, done.err) == (128 + number, "")
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert (results["status"], results["reason"], results["steps"]) == ("interrupted", number.name, 3)
    assert state(tmp_path).state == "stopped"
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()
    assert train_here(tmp_path, "resume=run", "hydra.run.dir=run").code == 0


def test_what_repeats_itself_unasked_does_not_end_a_run_unsaved(between_steps: Any, tmp_path: Path) -> None:
    """A terminal that closes says so twice, a time limit every second; and after the warning comes the end."""
    between_steps((signal.SIGUSR1, signal.SIGHUP, signal.SIGHUP, signal.SIGXCPU, signal.SIGXCPU, signal.SIGTERM))
    assert train_here(tmp_path, *OPTIONS).code == 128 + signal.SIGUSR1
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def test_what_nohup_has_it_ignore_it_ignores(between_steps: Any, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        between_steps((signal.SIGHUP,))
        assert train_here(tmp_path, *OPTIONS).code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the corpus is being tokenized there is nothing to save, but a state to tell."""
    monkeypatch.setattr(token_file, "tokenize", lambda *_: signal.raise_signal(signal.SIGHUP))
    assert train_here(tmp_path, *OPTIONS).code == 128 + signal.SIGHUP
    assert (state(tmp_path).state, state(tmp_path).reason) == ("stopped", "SIGHUP")
    monkeypatch.undo()
    assert train_here(tmp_path, *OPTIONS, "resume=auto").code == 0


@pytest.mark.parametrize("late", [False, True])
def test_a_signal_ends_the_whole_sweep(
    late: bool, between_steps: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if late:  # too late for the run, whose results are being shown
        monkeypatch.setattr(display, "finish", lambda *_: signal.raise_signal(signal.SIGUSR2))
    else:
        between_steps((signal.SIGUSR2,))
    done = train_here(tmp_path, "-m", *OPTIONS[:-1], "seed=1,2", "hydra.sweep.dir=sweep")
    assert done.code == 128 + signal.SIGUSR2
    assert json.loads((tmp_path / "sweep/0/results.json").read_text(encoding="utf-8"))["steps"] == (4 if late else 2)
    assert not (tmp_path / "sweep" / "1").exists()


@pytest.mark.parametrize("number", [number for number in ENDING if number != signal.SIGINT])
def test_every_command_ends_in_good_order(number: signal.Signals) -> None:
    left: list[str] = []

    def story() -> None:
        try:
            signal.raise_signal(number)
        finally:
            left.append("tidy")

    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended:
        entry.run(story)
    assert (ended.value.code, left) == (128 + number, ["tidy"])
    assert signal.getsignal(number) == before


def test_a_training_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python hands no signals to, and lets nobody ask for any."""
    monkeypatch.chdir(tmp_path)
    config = check(compose_config(OPTIONS[:-1]))
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(train(config, tmp_path, Path.cwd())))
    thread.start()
    thread.join()
    assert found[0].status == "finished"


def test_a_forked_worker_leaves_signals_to_its_parent() -> None:
    with Signals() as signals:
        child = os.fork()
        if child == 0:  # pragma: no cover
            try:
                signal.raise_signal(signal.SIGHUP)
                signal.raise_signal(signal.SIGHUP)
                os._exit(7 if signals.received is None else 8)
            except BaseException:
                os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGHUP)


@pytest.mark.slow
def test_a_terminal_that_closes(tmp_path: Path) -> None:
    """A real one: with it go the output of the run and the input, and the system says so by SIGHUP."""
    words = [sys.executable, "-m", "lab.train", *LONG, "save=true"]
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        os.chdir(tmp_path)
        os.execve(sys.executable, words, {**os.environ, "PYTHONPATH": str(ROOT)})
    seen: list[bytes] = []

    def read() -> None:
        while (data := os.read(terminal, 4096)) and (state(tmp_path).step or 0) < 1:
            seen.append(data)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    wait_for(lambda: (state(tmp_path).step or 0) >= 1, 600)
    reading.join()
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 128 + signal.SIGHUP
    assert b"gpt-lab" in b"".join(seen)
    assert state(tmp_path).state == "stopped"
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}api/health", trust_env=False).is_success
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_the_dashboard_ends_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "lab.dashboard", "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout is not None
        link = server.stdout.readline().split()[-1].decode()
        assert "token=" in link
        wait_for(lambda: answers(link.partition("?")[0]))  # it says where it is before it is there
        server.send_signal(number)
        try:
            _, err = server.communicate(timeout=300)
        finally:
            server.kill()
    assert server.returncode in (128 + number, 128 + signal.SIGTERM)
    assert err == b""
