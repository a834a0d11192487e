"""What a run says that it is doing, as it is written and read."""

import json
import os
from pathlib import Path

import psutil
import pytest

from lab.errors import LabError
from lab.files.run_files import STATE_FILE
from lab.runs.state import RunState, describe, read_state, write_gone, write_queued, write_state


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
