"""What a run says it is doing, and whether anybody is there to do it."""

import json
import os
from pathlib import Path

import psutil
import pytest
from support.commands import TINY, lab, train_here
from support.control import running, state

from lab.errors import LabError
from lab.files.run_files import STATE_FILE
from lab.runs.state import RunState, describe, is_alive, read_state, write_gone, write_queued, write_state


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


def test_a_run_that_waits_needs_no_process_and_one_that_is_over_neither(tmp_path: Path) -> None:
    write_queued(tmp_path, total_steps=9)
    assert read_state(tmp_path).state == "queued"
    gone = {"pid": 2**31 - 1, "process_started": 1.0}
    for said, told in (("running", "lost"), ("paused", "lost"), ("stopped", "stopped"), ("finished", "finished")):
        (tmp_path / "state.json").write_text(json.dumps({"state": said, **gone}))
        assert read_state(tmp_path).state == told


def test_a_process_that_took_over_the_number_is_another_one() -> None:
    began = psutil.Process().create_time()
    assert is_alive(os.getpid(), began)
    assert is_alive(os.getpid(), began + 0.5)  # a clock of another resolution
    for away in (-2, 2, 60):
        assert not is_alive(os.getpid(), began + away)


def test_a_state_in_words() -> None:
    assert describe(RunState("running", step=4, total_steps=9, tokens_per_second=1234.5)) == (
        "running, step 4 of 9, 1,234 tokens/s"
    )
    assert describe(RunState("failed", reason="it diverged")) == "failed, step 0 of ? (it diverged)"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_state(tmp_path, "running", step=3, total_steps=9, tokens_per_second=612.4, reason="why")
    told = read_state(tmp_path)
    assert (told.state, told.step, told.total_steps, told.tokens_per_second) == ("running", 3, 9, 612.4)
    assert (told.pid, told.process_started) == (os.getpid(), psutil.Process().create_time())
    assert describe(told) == "running, step 3 of 9, 612 tokens/s (why)"
    names = ["state", "step", "total_steps", "tokens_per_second", "reason", "pid", "process_started", "updated"]
    assert list(json.loads((tmp_path / STATE_FILE).read_text())) == names


def test_what_nobody_said_is_not_in_the_file(tmp_path: Path) -> None:
    write_queued(tmp_path)
    assert list(json.loads((tmp_path / STATE_FILE).read_text())) == ["state", "pid", "updated"]
    assert describe(read_state(tmp_path)) == "queued, step 0 of ?"


def test_a_run_that_cannot_speak_any_more_is_spoken_for(tmp_path: Path) -> None:
    write_queued(tmp_path, step=3, total_steps=None)
    write_gone(tmp_path, "stopped", "taken out of the queue", read_state(tmp_path))
    told = read_state(tmp_path)
    assert told == RunState("stopped", None, None, told.updated, 3, None, None, "taken out of the queue")


def test_an_older_file_lacks_fields_and_a_later_one_has_more(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text('{"state": "finished", "of_the_future": [[1]], "reason": null}')
    assert read_state(tmp_path) == RunState("finished")


@pytest.mark.parametrize("told", ['{"state": "asleep"}', '{"state": null}', "{}", '{"state": "finished", "pid": -1}'])
def test_a_state_of_no_run_is_refused(told: str, tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text(told)
    with pytest.raises(LabError, match=r"no readable state\.json"):
        read_state(tmp_path)
