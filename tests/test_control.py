"""A run obeys from outside: signals, command files, and the state it tells."""

import json
import os
import signal
import statistics
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.commands import TINY, lab, scalars, train_here
from support.control import LONG, running, state
from support.waiting import wait_for

from lab import control
from lab.errors import LabError
from lab.runs import command_files, events
from lab.runs.state import read_state, write_state
from lab.training import alerts


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_step_saves_and_tells(number: signal.Signals, code: int, tmp_path: Path) -> None:
    with running(tmp_path, "save=true") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert err == ""
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["status"], results["reason"]) == ("interrupted", number.name)
    step = results["steps"]
    assert step >= 1
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == step
    assert max(scalars(tmp_path / "run")["train_loss"]) == step  # the event files were closed in good order
    assert state(tmp_path).state == "stopped"
    assert f"after step {step} of 100000" in out
    assert "resume=" in out


def test_without_saving_a_signal_leaves_results_and_no_checkpoint(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
    assert process.returncode == 143
    assert (tmp_path / "run" / "results.json").is_file()
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    """In the middle of a step of many batches, and without the results that a run leaves that ends in good order."""
    with running(tmp_path, "data.batch_size=32", "trainer.accumulate_grad_batches=100") as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # two signals at once would be one
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(timeout=300)
    assert process.returncode == 130
    assert not (tmp_path / "run" / "results.json").exists()


def test_an_interrupted_run_continues_as_if_nothing_had_happened(tmp_path: Path) -> None:
    options = ("save=true", "schedule=constant", "schedule.warmup_steps=5", "eval_every=5", "model.drop_rate=0.2")
    with running(tmp_path, *options) as process:
        wait_for(lambda: (state(tmp_path).step or 0) >= 4)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
    stopped = json.loads((tmp_path / "run" / "results.json").read_text())["steps"]
    end = f"trainer.max_steps={stopped + 7}"
    done = train_here(tmp_path, "resume=run", end, "hydra.run.dir=child")
    assert done.code == 0, done.err
    assert train_here(tmp_path, *LONG[:-1], *options, end, "hydra.run.dir=whole").code == 0
    one, other = scalars(tmp_path / "child"), scalars(tmp_path / "whole")
    assert one["train_loss"] == other["train_loss"]
    assert {s: v for s, v in one["val_loss"].items() if s % 5 == 0} == {
        s: v for s, v in other["val_loss"].items() if s % 5 == 0
    }


def test_pause_holds_its_place_and_costs_next_to_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert lab(tmp_path, "control", "run", "pause").out.startswith("paused")
        held = state(tmp_path)
        me = psutil.Process(process.pid)
        before = me.cpu_times()
        time.sleep(3)
        after = me.cpu_times()
        now = state(tmp_path)
        assert now.state == "paused"
        assert now.step == held.step
        assert (now.updated or 0) > (held.updated or 0) + 1  # the heartbeat goes on
        assert (after.user + after.system) - (before.user + before.system) < 0.1
        assert lab(tmp_path, "control", "run", "resume").out.startswith("running")
        wait_for(lambda: (state(tmp_path).step or 0) > (held.step or 0))
        told = [event["state"] for event in events.read(tmp_path / "run") if event["kind"] == "state"]
        assert told == ["running", "paused", "running"]


def test_save_evaluate_and_stop_while_it_runs(tmp_path: Path) -> None:
    with running(tmp_path) as process:  # with save=false
        assert lab(tmp_path, "control", "run", "save").code == 0
        (saved,) = (tmp_path / "run" / "checkpoints").glob("saved-*.ckpt")
        step = torch.load(saved, weights_only=True)["global_step"]
        assert saved.name == f"saved-{step:08d}.ckpt"
        assert lab(tmp_path, "control", "run", "evaluate").code == 0
        wait_for(lambda: len([e for e in events.read(tmp_path / "run") if "val_loss" in e]) == 2)
        assert lab(tmp_path, "control", "run", "stop").out.startswith("stopped")
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "interrupted"
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == [saved.name]
    done = lab(tmp_path, "control", "run", "pause")
    assert done.code == 1
    assert "the run is stopped" in done.err


def test_paused_is_not_a_trap(tmp_path: Path) -> None:
    """Stop, save and signals work while it is paused."""
    with running(tmp_path, "save=true") as process:
        assert lab(tmp_path, "control", "run", "pause").code == 0
        assert lab(tmp_path, "control", "run", "save").out.startswith("paused")
        assert list((tmp_path / "run" / "checkpoints").glob("saved-*.ckpt"))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
    assert process.returncode == 143
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.slow
def test_commands_do_not_change_what_is_learnt(tmp_path: Path) -> None:
    options = ("model.drop_rate=0.3", "schedule=constant", "schedule.warmup_steps=0")
    with running(tmp_path, *options) as process:
        for command in ("pause", "evaluate", "save", "resume", "evaluate", "stop"):
            assert lab(tmp_path, "control", "run", command).code == 0
        process.communicate(timeout=300)
    steered = scalars(tmp_path / "run")["train_loss"]
    end = f"trainer.max_steps={max(steered)}"
    assert train_here(tmp_path, *LONG[:-1], *options, end, "hydra.run.dir=alone").code == 0
    assert scalars(tmp_path / "alone")["train_loss"] == steered


def test_a_killed_run_is_lost_not_running(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert state(tmp_path).state == "running"
        process.kill()
        process.wait()
    assert state(tmp_path).state == "lost"
    done = lab(tmp_path, "control", "run", "status")
    assert done.out.startswith("lost")


def test_a_pid_that_now_belongs_to_another_process_does_not_pass_for_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_state(run, "running", step=3)
    assert read_state(run).state == "running"
    told = json.loads((run / "state.json").read_text())
    told["process_started"] -= 60
    (run / "state.json").write_text(json.dumps(told))
    assert read_state(run).state == "lost"


def test_failed_runs_say_why(tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "optimizer.lr=1e38", "trainer.max_steps=9", "hydra.run.dir=run")
    assert done.code == 1
    told = state(tmp_path)
    assert told.state == "failed"
    assert "diverged" in (told.reason or "")


def test_commands_to_nobody(tmp_path: Path) -> None:
    done = lab(tmp_path, "control", "nowhere", "pause")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: nowhere is not the folder of a run")
    with pytest.raises(LabError, match="there is no command"):
        command_files.send(tmp_path, "explode")


def test_looking_for_commands_is_cheap_against_a_step(tmp_path: Path) -> None:
    """Counted in system calls, not in time: one look lists one folder."""
    assert command_files.commands(tmp_path) == []
    (tmp_path / "commands").mkdir()
    calls: list[Any] = []
    real = os.scandir

    def counted(*a: Any) -> Any:
        calls.append(a)
        return real(*a)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", counted)
        assert command_files.commands(tmp_path) == []
    assert len(calls) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=10, max_size=50), st.floats(0, 20))
def test_a_spike_is_what_stands_out_from_its_past(noise: list[float], jump: float) -> None:
    losses = deque(5 + 0.1 * value for value in noise)
    deviation = 1.4826 * statistics.median(abs(loss - statistics.median(losses)) for loss in losses)
    expected = jump > max(8 * deviation, 0.5)
    assume(abs(jump - max(8 * deviation, 0.5)) > 1e-9)
    assert alerts.spike(losses, statistics.median(losses) + jump) == expected
    assert not alerts.spike(deque(list(losses)[:9]), 1e9)  # too early to tell
    assert not alerts.spike(losses, 0.0)


def test_checkpoints_and_alerts_stand_in_the_log(tmp_path: Path) -> None:
    """A jump of the learning rate makes the loss jump; a larger one makes it leave the finite."""
    steady = (
        *TINY,
        "schedule=constant",
        "schedule.warmup_steps=0",
        "optimizer.lr=3e-3",
        "log_every=1",
        "eval_every=20",
    )
    done = train_here(
        tmp_path,
        *steady,
        "eval_every=20",
        "trainer.max_steps=40",
        "save=true",
        "save_every=15",
        "keep=1",
        "hydra.run.dir=run",
    )
    assert done.code == 0, done.err
    found = [(e["step"], e["path"]) for e in events.read(tmp_path / "run") if e["kind"] == "checkpoint"]
    for expected in ((15, "last"), (15, "step-00000015"), (20, "best"), (30, "step-00000030"), (40, "last")):
        assert (expected[0], f"checkpoints/{expected[1]}.ckpt") in found
    train_here(tmp_path, "resume=run", "trainer.max_steps=80", "optimizer.lr=3", "hydra.run.dir=worse")
    told = [e for e in events.read(tmp_path / "worse") if e["kind"] == "alert"]
    assert [e["what"] for e in told] == ["loss_spike"]
    assert told[0]["step"] in range(41, 60)
    train_here(tmp_path, "resume=run", "trainer.max_steps=80", "optimizer.lr=1e38", "hydra.run.dir=worst")
    told = [e for e in events.read(tmp_path / "worst") if e["kind"] == "alert"]
    assert told[-1]["what"] == "failed"
    assert "diverged" in told[-1]["message"]


@pytest.mark.parametrize(
    "said",
    [
        *("[]", "7", "null", "[" * 100_000, "{}", '{"state": "asleep"}', '{"state": ["running"]}', '{"state": 5}'),
        *('{"state": "running", "pid": -1}', '{"state": "running", "pid": true}', '{"state": "running", "pid": 1e99}'),
        f'{{"state": "running", "pid": {10**30}}}',
        '{"state": "finished", "step": "x"}',
        '{"state": "finished", "tokens_per_second": "fast"}',
        '{"state": "finished", "reason": {"a": 1}}',
    ],
)
def test_a_state_that_says_nothing_is_one_sentence(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state.json").write_text(said)
    monkeypatch.setattr(sys, "argv", ["lab.control", str(tmp_path), "status"])
    with pytest.raises(SystemExit) as ended:
        control.main()
    assert ended.value.code == 1
    assert "no readable state.json" in capsys.readouterr().err
