"""Commands to a run, as files."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import lab

from lab.errors import LabError
from lab.runs import command_files
from lab.runs.state import State, write_queued, write_state


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


def test_commands_come_in_their_order_and_other_files_are_not_ours(tmp_path: Path) -> None:
    write_state(tmp_path, "running", step=1)
    for command in ("save", "pause", "evaluate"):
        command_files.send(tmp_path, command)
    inbox = tmp_path / "commands"
    for name in ("notes.txt", "12-34-explode", "x-1-save", ".1-1-save.abcdefgh.tmp"):
        (inbox / name).touch()
    (inbox / "99-1-stop").mkdir()
    found = command_files.commands(tmp_path)
    assert [command for command, _ in found] == ["save", "pause", "evaluate"]
    assert all(file.parent == inbox and file.is_file() for _, file in found)


def test_only_who_is_there_is_told_and_only_what_makes_sense(tmp_path: Path) -> None:
    cases: tuple[tuple[State, str, bool], ...] = (
        ("running", "resume", True),
        ("paused", "resume", False),
        ("paused", "stop", False),
        ("finished", "save", True),
        ("stopped", "resume", True),
    )
    for state, command, refused in cases:
        write_state(tmp_path, state)
        if refused:
            with pytest.raises(LabError, match=f"cannot {command}: the run is {state}"):
                command_files.send(tmp_path, command)
        else:
            command_files.send(tmp_path, command)
    write_queued(tmp_path)
    with pytest.raises(LabError, match="the run is queued"):
        command_files.send(tmp_path, "pause")


def test_nothing_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1-1-stop").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "commands").symlink_to(tmp_path / "elsewhere")
    write_state(tmp_path / "run", "running")
    assert command_files.commands(tmp_path / "run") == []
    with pytest.raises(LabError, match="is a link"):
        command_files.send(tmp_path / "run", "save")


@given(st.lists(st.sampled_from(command_files.COMMANDS), max_size=command_files.MOST))
def test_commands_go_into_a_number_and_back(names: list[str]) -> None:
    code = command_files.encoded(names)
    assert 0 <= code < 2**63
    assert command_files.decoded(code) == names
