"""Where processes meet, and what the first has to say to the others."""

import contextlib
import threading
from typing import Any

import pytest

from lab.errors import LabError
from lab.system import rendezvous
from lab.system.ranks import Place


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({}, ("127.0.0.1", 15_000)),
        ({"MASTER_ADDR": "a", "MASTER_PORT": "7"}, ("a", 7)),
        ({"SLURM_NODELIST": "gpu[07-09,12],big1", "SLURM_JOB_ID": "1234567"}, ("gpu07", 19_567)),
        ({"SLURM_NODELIST": "big1,gpu[07-09]", "SLURM_JOB_ID": "12"}, ("big1", 15_012)),
        ({"SLURM_NODELIST": "host0 host1"}, ("host0", 15_000)),
        ({"SLURM_NODELIST": "node[5]", "MASTER_PORT": "9"}, ("node5", 9)),
        ({"SLURM_STEP_NODELIST": "b", "SLURM_NODELIST": "[a-b]"}, ("b", 15_000)),
    ],
)
def test_where_they_meet(told: dict[str, str], where: tuple[str, int]) -> None:
    assert rendezvous.address(told) == where


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is free, and stays this test's own."""
    monkeypatch.setattr(rendezvous, "_stores", [])
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(rendezvous.host()))


def _other(heard: list[Any]) -> threading.Thread:
    def listen() -> None:
        try:
            with rendezvous.met(Place(1, 2, 1, 2)) as words:
                heard.append(words)
        except SystemExit as end:
            heard.append(end.code)

    thread = threading.Thread(target=listen)
    thread.start()
    return thread


@pytest.mark.usefixtures("meeting")
def test_the_others_hear_what_the_first_has_settled() -> None:
    heard: list[Any] = []
    with rendezvous.met(Place(0, 2, 0, 2)) as words:
        assert words == []
        other = _other(heard)
        rendezvous.tell(["hydra.run.dir=a b", "resume=null"])
        other.join(60)
    assert heard == [["hydra.run.dir=a b", "resume=null"]]


@pytest.mark.usefixtures("meeting")
@pytest.mark.parametrize(("end", "code"), [(None, 0), (SystemExit(3), 3), (LabError("no"), 1)])
def test_the_others_end_as_the_first_has_if_it_has_nothing_to_say(end: BaseException | None, code: int) -> None:
    heard: list[Any] = []
    with contextlib.suppress(SystemExit, LabError), rendezvous.met(Place(0, 2, 0, 2)):
        other = _other(heard)
        if end is not None:
            raise end
    other.join(60)
    assert heard == [code]
