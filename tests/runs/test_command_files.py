"""Commands to a run, as files."""

import os
from pathlib import Path

import pytest
from support.commands import lab

from lab.errors import LabError
from lab.runs import command_files


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
    calls = []
    real = os.scandir
    os.scandir = lambda *a: calls.append(a) or real(*a)  # type: ignore[assignment]
    try:
        assert command_files.commands(tmp_path) == []
    finally:
        os.scandir = real
    assert len(calls) == 1
