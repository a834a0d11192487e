"""A run obeys between two steps, and learns what it would have learnt."""

import json
import signal
from pathlib import Path

import pytest
from support.commands import TINY, lab, scalars, train_here
from support.control import LONG, running, state
from support.waiting import wait_for


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    """In the middle of a step of many batches, and without the results that a run leaves that ends in good order."""
    with running(tmp_path, "data.batch_size=32", "trainer.accumulate_grad_batches=100") as process:

        def ends() -> bool:
            """Again and again: two signals that come before the first is heard are one."""
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        wait_for(ends)
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


def test_what_a_training_obeys_it_removes_in_its_own_folder_only(tmp_path: Path) -> None:
    """A training begins with clearing away old commands: behind a link, that would be somebody's documents."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "letter").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "commands").symlink_to(tmp_path / "documents")
    done = train_here(tmp_path, *TINY, "trainer.max_steps=1", "logger=none", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert (tmp_path / "documents" / "letter").exists()
