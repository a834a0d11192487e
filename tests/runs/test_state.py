"""What a run says it is doing, and whether anybody is there to do it."""

import json
from pathlib import Path

from support.commands import TINY, lab, train_here
from support.control import running, state

from lab.runs.state import read_state, write_state


def test_a_killed_run_is_lost_not_running(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert state(tmp_path)["state"] == "running"
        process.kill()
        process.wait()
    assert state(tmp_path)["state"] == "lost"
    done = lab(tmp_path, "control", "run", "status")
    assert done.out.startswith("lost")


def test_a_pid_that_now_belongs_to_another_process_does_not_pass_for_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_state(run, "running", step=3)
    assert read_state(run)["state"] == "running"
    told = json.loads((run / "state.json").read_text())
    told["process_started"] -= 60
    (run / "state.json").write_text(json.dumps(told))
    assert read_state(run)["state"] == "lost"


def test_failed_runs_say_why(tmp_path: Path) -> None:
    done = train_here(tmp_path, *TINY, "optimizer.lr=1e38", "trainer.max_steps=9", "hydra.run.dir=run")
    assert done.code == 1
    told = state(tmp_path)
    assert told["state"] == "failed"
    assert "diverged" in told["reason"]
