"""What a run is alarming for reaches the log, the terminal and TensorBoard: once, also over interruptions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY, tiny, train_here
from support.curves import falling, setting

from lab.alerts.watch import Watch
from lab.runs import events
from lab.runs.events import Event, EventLog
from lab.training.alerts import Alerts
from lab.training.event_logger import EventLogger
from lab.training.resume import Earlier, carry_over


def alerts_of(folder: Path) -> list[Event]:
    return [event for event in events.read(folder) if event["kind"] == "alert"]


def test_a_rate_that_is_too_high_is_told_in_every_place(tmp_path: Path) -> None:
    """The command a newcomer tries: the loss leaps while it is falling."""
    options = ("tokenizer=bytes", "trainer.max_steps=30", "optimizer.lr=1", "schedule.warmup_steps=3")
    done = tiny(tmp_path, *options)
    (told,) = alerts_of(done.run)
    losses = {e["step"]: e["train_loss"] for e in events.read(done.run) if "train_loss" in e}
    assert told["what"] == "rate_too_high"
    assert losses[told["since"]] > min(loss for step, loss in losses.items() if step < told["since"]) + 0.3
    assert told["step"] <= told["since"] + 5
    assert "try optimizer.lr=" in told["advice"]
    assert "a learning rate of 1 is far too high for this optimizer at a width of 32" in done.out  # before it began
    assert f"alert: since step {told['since']}, the training loss rose from" in done.out
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(done.run / "tensorboard"))
    board.Reload()
    (text,) = board.Tensors("alert/text_summary")
    assert text.step == told["step"]
    assert told["message"].encode() in text.tensor_proto.string_val[0]


def test_a_run_that_learns_is_quiet_and_one_that_fails_says_so(tmp_path: Path) -> None:
    steady = (*TINY, "optimizer.lr=3e-3", "log_every=1", "save=true", "hydra.run.dir=run")
    done = train_here(tmp_path, *steady, "trainer.max_steps=40", "eval_every=20", "save_every=15", "keep=1")
    assert done.code == 0, done.err
    assert alerts_of(tmp_path / "run") == []
    assert "alert" not in done.out
    assert "far too" not in done.out
    found = [(e["step"], e["path"]) for e in events.read(tmp_path / "run") if e["kind"] == "checkpoint"]
    for expected in ((15, "last"), (15, "step-00000015"), (20, "best"), (30, "step-00000030"), (40, "last")):
        assert (expected[0], f"checkpoints/{expected[1]}.ckpt") in found
    train_here(tmp_path, "resume=run", "trainer.max_steps=80", "optimizer.lr=1e38", "hydra.run.dir=worst")
    told = alerts_of(tmp_path / "worst")
    assert told[-1]["what"] == "failed"
    assert "diverged" in told[-1]["message"]


LOSSES = falling(260, 0.05)
LOSSES[30] += 4
LOSSES[140] += 3
LOSSES[259] += 3
VAL = {step: 4.0 + abs(step - 100) / 100 for step in range(0, 261, 20)}


class Process:
    """A process of a run: it goes on from a log, and writes the figures of each step up to one."""

    def __init__(self, folder: Path, carried: Sequence[Event], first_step: int) -> None:
        self.log = EventLog(folder)
        self.alerts = Alerts(self.log, Watch(setting(lr=1e-3)), [], prints=False)
        self.alerts.catch_up(first_step, carried)
        self.logger = EventLogger(self.log, self.alerts.see)
        self.step = first_step

    def train(self, last: int) -> None:
        for step in range(self.step, last + 1):
            if step > self.step:
                self.logger.log_metrics({"train_loss": LOSSES[step - 1], "grad_norm": 0.5}, step)
            if step in VAL and (step > self.step or step == 0):
                self.logger.log_metrics({"val_loss": VAL[step]}, step)
        self.step = last

    def end(self) -> None:
        class Trainer:
            is_global_zero, global_step = True, self.step

        self.alerts.on_train_end(Trainer, None)  # type: ignore[arg-type]
        self.log.close()


def gone_on(folder: Path, other: Path, step: int) -> Process:
    """What a run that goes on from a checkpoint of ``step``, in the same folder or in another, begins with."""
    evaluated = max(at for at in VAL if at <= step)
    record = {"val_step": evaluated, "best_step": 0}
    checkpoint: Any = {"global_step": step, "callbacks": {"Record": record}}
    earlier = Earlier(folder / "checkpoints" / "last.ckpt", checkpoint)
    return Process(other, carry_over(earlier, other), step)


def told(folder: Path) -> list[tuple[str, int, str]]:
    return [(event["what"], event["since"], event["message"]) for event in alerts_of(folder)]


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("step", [1, 29, 31, 32, 140, 141, 142, 160, 179, 180, 200, 259])
def test_a_run_that_goes_on_tells_each_alert_once(tmp_path: Path, step: int, in_place: bool) -> None:
    """Killed a while after the checkpoint: what was told in between belongs to steps that are done again."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut, tmp_path / "other"):
        (folder / "checkpoints").mkdir(parents=True)
    process = Process(whole, [], 0)
    process.train(260)
    process.end()
    expected = told(whole)
    assert [(what, since) for what, since, _ in expected] == [
        ("rate_too_high", 31),
        ("loss_spike", 141),
        ("overfitting", 100),
        ("loss_spike", 260),
    ]
    killed = Process(cut, [], 0)
    killed.train(min(260, step + 70))
    killed.log.close()
    folder = cut if in_place else tmp_path / "other"
    again = gone_on(cut, folder, step)
    again.train(260)
    again.end()
    assert told(folder) == expected


def test_what_a_killed_process_did_not_come_to_say_is_said(tmp_path: Path) -> None:
    """The figures are in the log, and the process was killed before the next line: or it knew no alerts yet."""
    (tmp_path / "checkpoints").mkdir()
    process = Process(tmp_path, [], 0)
    process.train(50)
    process.log.close()
    events.rewrite(tmp_path, [event for event in events.read(tmp_path) if event["kind"] != "alert"])
    again = gone_on(tmp_path, tmp_path, 50)
    again.log.close()
    ((what, since, _),) = told(tmp_path)
    assert (what, since) == ("rate_too_high", 31)
    assert alerts_of(tmp_path)[0]["step"] == 50
