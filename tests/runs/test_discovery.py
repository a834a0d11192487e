"""Run folders are found where they are, and nowhere else."""

from pathlib import Path

from lab.runs.discovery import is_run, runs_below


def test_runs_are_found_below_and_links_and_hidden_folders_are_not_followed(tmp_path: Path) -> None:
    for place in ("day/one", "day/two", ".hidden/three", "deep/1/2/3/four", "day/one/inner", "outside/five"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "events.jsonl").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "outside")
    found = {str(path.relative_to(tmp_path)) for path in runs_below(tmp_path)}
    assert found == {"day/one", "day/two", "deep/1/2/3/four", "outside/five"}
    assert list(runs_below(tmp_path / "root")) == []
    assert [is_run(tmp_path / "day"), is_run(tmp_path / "day" / "one")] == [False, True]
