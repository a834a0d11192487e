"""How much memory there is."""

import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.system import memory


def test_what_is_free_is_some_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_GROUPS", ())
    assert memory.total() == psutil.virtual_memory().total + psutil.swap_memory().total
    assert 0 < memory.free() < memory.total()


def test_a_container_may_have_less_than_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(memory, "_GROUPS", ((str(limit), str(used)), ("/nowhere", "/nowhere")))
    limit.write_text("5000\n")
    used.write_text("3500\n")
    assert (memory.total(), memory.free()) == (5000, 1500)
    used.write_text("6000\n")
    assert memory.free() == 0
    limit.write_text("max\n")
    assert memory.total() > 5000


@pytest.mark.parametrize(
    ("told", "found"),
    [("1024, 2048\n9, 9\n", (1 << 30, 1 << 31)), ("[N/A], 7\n", None), ("", None)],
)
def test_a_gpu_is_asked_by_its_own_tool(
    monkeypatch: pytest.MonkeyPatch, told: str, found: tuple[int, int] | None
) -> None:
    def answer(command: list[str], **_: Any) -> Any:
        return subprocess.CompletedProcess(command, 0, told)

    monkeypatch.setattr(subprocess, "run", answer)
    assert memory.of_gpu() == found


def test_where_there_is_no_such_tool_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert memory.of_gpu() is None
