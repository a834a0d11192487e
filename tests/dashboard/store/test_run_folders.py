"""Run folders are found wherever they lie, and nothing in one leads out."""

from pathlib import Path

import pytest

from lab.dashboard.http_errors import ApiError
from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.files import atomic
from lab.runs import events
from lab.runs.state import write_state


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Two runs and a sweep of one; and folders that are none."""
    for name in ("outputs/day/one", "outputs/two", "multirun/day/sweep/0"):
        (tmp_path / name).mkdir(parents=True)
        write_state(tmp_path / name, "finished", step=3, total_steps=3)
    (tmp_path / "multirun/day/sweep/sweep.json").write_text("{}")
    for name in ("outputs/.hidden/three", "outputs/two/inner", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "results.json").write_text("{}")
    (tmp_path / "outputs" / "empty").mkdir()
    (tmp_path / "outputs" / "link").symlink_to(tmp_path / "elsewhere")
    return Runs(Settings(tmp_path, ""))


def test_runs_are_found_and_links_are_not_followed(runs: Runs) -> None:
    found = {runs.place(folder): run_id for run_id, folder in runs.find().items()}
    assert found.keys() == {"outputs/day/one", "outputs/two", "multirun/day/sweep/0"}
    assert len(set(found.values())) == 3
    for place, run_id in found.items():
        assert runs.folder(run_id) == runs.root / place
        assert runs.id_of(runs.root / place) == run_id
    assert [folder.name for folder in runs.sweeps().values()] == ["sweep"]
    with pytest.raises(ApiError, match="there is no run nonsense"):
        runs.folder("nonsense")


def test_a_folder_that_has_gone_is_no_run_any_more(runs: Runs) -> None:
    run_id = runs.id_of(runs.root / "outputs" / "two")
    assert runs.folder(run_id)
    atomic.remove_folder(runs.root / "outputs" / "two")
    with pytest.raises(ApiError, match="there is no run"):
        runs.folder(run_id)


def test_the_step_of_a_checkpoint_is_that_of_its_name_or_of_the_log(runs: Runs) -> None:
    folder = runs.root / "outputs" / "two"
    log = events.EventLog(folder)
    log.checkpoint(7, "checkpoints/best.ckpt")
    log.checkpoint(9, "checkpoints/last.ckpt")
    log.checkpoint(11, "checkpoints/last.ckpt")
    log.close()
    (folder / "checkpoints").mkdir()
    for name in ("best.ckpt", "last.ckpt", "step-00000004.ckpt", "mine.ckpt", ".half.ckpt", "notes.txt"):
        (folder / "checkpoints" / name).write_bytes(b"12345")
    (folder / "checkpoints" / "link.ckpt").symlink_to(folder / "state.json")
    found = runs.checkpoints(runs.id_of(folder))
    assert [(c.name, c.step) for c in found] == [
        ("mine.ckpt", None),
        ("step-00000004.ckpt", 4),
        ("best.ckpt", 7),
        ("last.ckpt", 11),
    ]
    assert {c.size for c in found} == {5}
    assert [runs.checkpoint(c.id) for c in found] == [c.path for c in found]
    with pytest.raises(ApiError, match="there is no checkpoint"):
        runs.checkpoint("nonsense")


def test_what_was_read_once_is_read_again_when_it_changes(runs: Runs) -> None:
    folder = runs.root / "outputs" / "two"
    run_id, place = runs.id_of(folder), folder / "checkpoints"
    place.mkdir()
    sizes: list[list[int]] = []
    for contents in (b"1", b"22", b"333"):
        with atomic.writing(place / "last.ckpt") as file:
            file.write(contents)
        sizes.append([found.size for found in runs.checkpoints(run_id)])
    assert sizes == [[1], [2], [3]]
    runs.checkpoints(run_id).clear()  # what is handed out is the caller's
    (place / "last.ckpt").rename(place / "step-00000009.ckpt")
    assert [found.step for found in runs.checkpoints(run_id)] == [9]
    assert [runs.state(folder).state for _ in range(2)] == ["finished"] * 2
    write_state(folder, "running", step=4, total_steps=9)
    assert (runs.state(folder).state, runs.state(folder).step) == ("running", 4)
    write_state(folder, "stopped", step=5, total_steps=9)
    assert (runs.state(folder).state, runs.state(folder).step) == ("stopped", 5)


def test_options_are_read_anew_when_they_change(runs: Runs) -> None:
    folder = runs.root / "outputs" / "two"
    assert runs.config(folder) == {}
    (folder / "config.yaml").write_text("seed: 1\n")
    assert runs.config(folder) == {"seed": 1}
    atomic.write_text(folder / "config.yaml", "seed: 2\n")
    assert runs.config(folder) == {"seed": 2}
    atomic.write_text(folder / "config.yaml", "a: &a [*a]\n")
    assert runs.config(folder) == {}


def test_one_that_says_nothing_is_lost(runs: Runs) -> None:
    folder = runs.root / "outputs" / "two"
    assert runs.state(folder).state == "finished"
    assert runs.state(runs.root / "outputs" / "empty").state == "lost"
