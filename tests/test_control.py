"""A run obeys from outside: signals, command files, and the state it tells."""

import json
import signal
import sys
from pathlib import Path

import psutil
import pytest
import torch
from support.commands import lab, scalars
from support.control import running, state
from support.waiting import wait_for

from lab import control
from lab.runs import events


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


@pytest.mark.slow
def test_pause_holds_its_place_and_costs_next_to_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert lab(tmp_path, "control", "run", "pause").out.startswith("paused")
        held = state(tmp_path)
        me = psutil.Process(process.pid)
        before = me.cpu_times()
        wait_for(lambda: (state(tmp_path).updated or 0) > (held.updated or 0) + 3)  # the heartbeat goes on
        after = me.cpu_times()
        now = state(tmp_path)
        assert now.state == "paused"
        assert now.step == held.step
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
