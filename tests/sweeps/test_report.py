"""The lines of a sweep."""

from pathlib import Path

from support.run_folders import write_run

from lab.runs.state import write_state
from lab.sweeps import report
from lab.sweeps.jobs import Job, outcome


def jobs(folder: Path) -> list[Job]:
    for number, losses in enumerate(([3.0, 2.0], [3.0, 1.0], [3.0])):
        write_run(folder / str(number), losses)
    return [Job(n, (f"seed={n}",), folder / str(n)) for n in range(4)]


def test_the_table(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    write_state(made[2].folder, "running", step=5, total_steps=10)
    lines = [line.split() for line in report.table(made, ["seed"], outcome, tmp_path)]
    assert lines[1][-3:] == ["2.0000", "finished", "0"]
    assert lines[2][-5:] == ["1.0000", "finished,", "the", "best", "1"]
    assert lines[3] == ["2", "2", "1.0820", "3.0000", "running", "at", "step", "5", "of", "10", "2"]
    assert lines[4] == ["3", "3", "not", "begun", "3"]


def test_only_what_ends_now_is_told(tmp_path: Path, capsys) -> None:
    made = jobs(tmp_path)[:2]
    with report.watching(made, ["seed"], outcome):
        write_state(made[1].folder, "failed", reason="why")
    assert capsys.readouterr().out == "job 1 (seed=1): failed (why); 1 of 2 done, 0:00 left\n"
