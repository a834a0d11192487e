"""Alerts: a loss that jumps, a run that fails."""

import math
import statistics
from collections import deque
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.commands import TINY, train_here

from lab.runs import events
from lab.training import alerts


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


def test_one_spike_is_one_alert_until_the_loss_has_been_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        clock, train_loss = (0, 0), None

    monkeypatch.setattr(alerts, "GPTModule", Module)
    log, module = events.EventLog(tmp_path), Module()
    watching = alerts.Alerts(log)
    losses = [5 + 0.01 * (step % 3) for step in range(20)] + [9.0, 9.5, math.nan, 9.0, 5.0, 9.0]
    for step, loss in enumerate(losses):
        module.clock, module.train_loss = (step, 0), loss  # type: ignore[assignment]
        for _ in range(2):  # several micro-batches of one step
            watching.on_train_batch_end(None, module)  # type: ignore[arg-type]
    log.close()
    assert [event["step"] for event in events.read(tmp_path)] == [20, 23, 25]
    again = alerts.Alerts(log)
    again.load_state_dict(watching.state_dict())
    assert again.state_dict() == watching.state_dict()
    assert not any(math.isnan(loss) for loss in again.state_dict()["losses"])
