"""How jobs are handed to a launcher, and what happens when it breaks."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hydra.core.utils import JobReturn, JobStatus

from lab.errors import LabError
from lab.runs.state import write_state
from lab.sweeps import launching
from lab.sweeps.conductor import Conductor
from lab.sweeps.jobs import Job


class JoblibLauncher:
    """Ends each job as it is told, with all jobs of a batch that has a killed one."""

    def __init__(self, killed: set[str] = frozenset(), failed: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        self.killed, self.failed = killed, failed
        self.joblib = {"n_jobs": 2}
        self.batches: list[list[str]] = []

    def launch(self, words: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        folders = [Path(place(job)) for job in words]
        self.batches.append([folder.name for folder in folders])
        returned = []
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            if folder.name in self.killed:
                (folder / "state.json").write_text('{"state": "running", "pid": 1, "process_started": 1.0}')
                raise RuntimeError("a worker was killed")
            bad = folder.name in self.failed
            write_state(folder, "failed" if bad else "finished", step=1, total_steps=1)
            returned.append(JobReturn(status=JobStatus.FAILED if bad else JobStatus.COMPLETED))
            returned[-1]._return_value = LabError("why") if bad else 1.0
        return returned


class BasicLauncher(JoblibLauncher):
    """The same, one at a time."""


class LocalLauncher(JoblibLauncher):
    """The same, as many at a time as there are cores."""

    params: ClassVar[dict[str, Any]] = {"cpus_per_task": None}


def place(words: Sequence[str]) -> str:
    told = dict(word.split("=", 1) for word in words)
    return f"{told['hydra.sweep.dir']}/{told['hydra.sweep.subdir']}".replace("'", "")


def conductor(folder: Path, launcher: Any, monkeypatch: pytest.MonkeyPatch, goes_on: bool = False) -> Conductor:
    monkeypatch.setattr(launching, "make", lambda *_: launcher)
    monkeypatch.setattr(launching, "cores", lambda: 2)
    monkeypatch.setattr("lab.sweeps.conductor._wait_for_children", lambda: None)
    made = Conductor(SimpleNamespace(), lambda _: None, SimpleNamespace(name=""), goes_on)  # type: ignore[arg-type]
    made._folder = folder
    return made


def jobs(folder: Path, count: int = 4, *words: str) -> list[Job]:
    return [Job(n, (f"seed={n}", *words), folder / str(n)) for n in range(count)]


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        (JoblibLauncher, None, [["0", "1", "2", "3"]]),
        (JoblibLauncher, 3, [["0", "1", "2"], ["3"]]),
        (LocalLauncher, None, [["0", "1"], ["2", "3"]]),
        (BasicLauncher, None, [["0"], ["1"], ["2"], ["3"]]),
    ],
)
def test_batches(kind: Any, size: int | None, expected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = kind()
    conductor(tmp_path, launcher, monkeypatch).run(jobs(tmp_path), [], 4, size)
    assert launcher.batches == expected


def test_jobs_that_use_their_number_are_launched_so_that_they_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher, made = JoblibLauncher(), jobs(tmp_path, 5, "x=${hydra:job.num}")
    (tmp_path / "1").mkdir()
    write_state(tmp_path / "1", "finished")
    conductor(tmp_path, launcher, monkeypatch, goes_on=True).run(made, [], 5)
    assert launcher.batches == [["0"], ["2", "3", "4"]]


def test_a_killed_process_costs_no_other_job_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    launcher, made = JoblibLauncher(killed={"1"}, failed={"3"}), jobs(tmp_path)
    one = conductor(tmp_path, launcher, monkeypatch)
    one.run(made, ["seed"], 4)
    assert launcher.batches == [["0", "1", "2", "3"], ["1"], ["2", "3"]]
    assert [one.became(job).state for job in made] == ["finished", "failed", "finished", "failed"]
    with pytest.raises(LabError, match=f"2 of 4 jobs failed; .*resume={tmp_path}"):
        one.finish(made, ["seed"])
    assert "job 1 (seed=1): failed" in capsys.readouterr().out


def test_a_launcher_that_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = JoblibLauncher()
    monkeypatch.setattr(launcher, "launch", lambda *_: 1 / 0)
    with pytest.raises(LabError, match=r"could start no job \(ZeroDivisionError: division by zero\)"):
        conductor(tmp_path, launcher, monkeypatch).run(jobs(tmp_path), [], 4)


def test_what_a_job_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place; and, of what it has left there itself, to go on."""
    new, begun = jobs(tmp_path, 2)
    begun.folder.mkdir()
    write_state(begun.folder, "failed")
    where = f"hydra.sweep.dir='{tmp_path}'"
    going_on = conductor(tmp_path, JoblibLauncher(), monkeypatch, goes_on=True)
    assert going_on._words(new) == ["seed=0", where, "hydra.sweep.subdir='0'"]
    assert going_on._words(begun) == ["seed=1", where, "hydra.sweep.subdir='1'", "resume=auto"]
    going_on.config.name = "night"
    assert "name='night'" not in going_on._words(new)  # nothing sets it apart yet
    going_on._names = ["seed"]
    assert going_on._words(new)[-1] == "name='night: seed=0'"
    forked = Job(1, ("resume=other",), begun.folder)
    assert going_on._words(forked)[0] == "resume=other"
    assert going_on._words(forked)[-1] != "resume=auto"
    assert not (begun.folder / "state.json").exists()  # it got nowhere, and begins again where it began
