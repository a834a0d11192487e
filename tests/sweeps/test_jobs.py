"""What has become of a job, as its folder says."""

from pathlib import Path

from support.run_folders import write_run

from lab.runs.state import write_gone, write_queued, write_state
from lab.sweeps import jobs
from lab.sweeps.jobs import Job, Outcome, outcome


def job(folder: Path, *words: str) -> Job:
    return Job(0, words, folder)


def test_what_a_folder_says(tmp_path: Path) -> None:
    one = job(tmp_path / "0")
    assert outcome(one) == Outcome("not begun")
    (tmp_path / "0").mkdir()
    write_state(one.folder, "failed", reason="why", step=3, total_steps=9)
    assert outcome(one) == Outcome("failed", "why", "3 of 9")
    write_state(one.folder, "stopped", reason=jobs.PRUNED, step=3, total_steps=9)
    assert outcome(one) == Outcome("pruned", None, "3 of 9")
    write_state(one.folder, "stopped", reason="SIGTERM", step=3)
    assert outcome(one) == Outcome("stopped", "SIGTERM", "3 of ?")
    (one.folder / "state.json").write_bytes(b"\0\0")
    assert outcome(one).state == "lost"
    assert jobs.best_evaluation(one) is None
    best = jobs.best_evaluation(job(write_run(tmp_path / "1", [3.0, 1.0, 2.0])))
    assert best is not None
    assert (best.step, best.val_loss) == (10, 1.0)


def test_what_sets_jobs_apart() -> None:
    two = [Job(n, ("model=nano", f"optimizer.lr={lr}", f"+x.y={n}"), Path()) for n, lr in enumerate((1e-3, 1e-4))]
    names = jobs.differing(two)
    assert names == ["optimizer.lr", "x.y"]
    assert jobs.described(two[1], names) == "optimizer.lr=0.0001 x.y=1"
    assert jobs.label(two[1], names) == "lr=0.0001, y=1"
    alike = Job(0, ("data.seed=1", "seed=2"), Path())
    assert jobs.label(alike, ["data.seed", "seed"]) == "data.seed=1, seed=2"
    assert jobs.differing(two[:1]) == []
    assert jobs.value(Job(0, ("a=0.0012520653814999472", "b=text\n", "c='1.234.567.8'"), Path()), "a") == "0.001252"


def test_states_that_are_over(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    write_queued(tmp_path / "0")
    one = job(tmp_path / "0")
    assert outcome(one).state == "queued"
    told = jobs.read_state(one.folder)
    write_gone(one.folder, "failed", "it never began", told)
    assert outcome(one).state == "failed"
    assert {"finished", "pruned"} == set(jobs.OVER)
