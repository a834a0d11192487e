"""An experiment's folder: whose it is, and what is left to run."""

import json
import os
from pathlib import Path

import psutil
import pytest
from support.run_folders import write_run

from lab.comparison.experiment import Experiment, alone_with, forget_child, has_orphan, note_child
from lab.errors import FolderTaken, LabError


def experiment(folder: Path, idea: str = "optimizer.lr=1", seeds: tuple[int, ...] = (1, 2)) -> Experiment:
    return Experiment(folder / "x", (), (idea,), ("model=nano",), seeds)


def test_the_sides_take_turns(tmp_path: Path) -> None:
    found = experiment(tmp_path).trials()
    assert [trial.folder.name for trial in found] == ["baseline-1", "idea-1", "baseline-2", "idea-2"]
    assert found[3].words[:3] == ("model=nano", "optimizer.lr=1", "seed=2")
    assert f"hydra.run.dir={tmp_path / 'x' / 'idea-2'}" in found[3].words


def test_a_run_has_finished_when_it_says_so_twice(tmp_path: Path) -> None:
    write_run(tmp_path / "x" / "baseline-1", [3.0, 2.0])
    write_run(tmp_path / "x" / "idea-1", [3.0, 2.0], status="interrupted")
    write_run(tmp_path / "x" / "baseline-2", [3.0, 2.0])
    (tmp_path / "x" / "baseline-2" / "state.json").write_text('{"state": "running"')
    assert [trial.has_finished for trial in experiment(tmp_path).trials()] == [True, False, False, False]
    baseline, idea = experiment(tmp_path).runs()
    assert (len(baseline), len(idea)) == (1, 0)


def test_other_options_are_refused_and_more_seeds_are_not(tmp_path: Path) -> None:
    with alone_with(experiment(tmp_path)):
        pass
    with alone_with(experiment(tmp_path, seeds=(1, 2, 3))):
        pass
    told = r'is another experiment: there, idea is "optimizer\.lr=1", and here "seed=3"'
    with pytest.raises(LabError, match=told), alone_with(experiment(tmp_path, "seed=3")):
        pass
    assert json.loads((tmp_path / "x" / "experiment.json").read_text())["idea"] == ["optimizer.lr=1"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    told = "another process is at work on the experiment"
    with alone_with(experiment(tmp_path)), pytest.raises(FolderTaken, match=told), alone_with(experiment(tmp_path)):
        pass


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "thesis.txt").write_text("mine")
    with pytest.raises(FolderTaken, match="holds other things"), alone_with(experiment(tmp_path)):
        pass
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["thesis.txt"]


def test_a_training_left_at_work_is_known_by_its_start(tmp_path: Path) -> None:
    made = experiment(tmp_path)
    made.folder.mkdir()
    assert not has_orphan(made)
    parent = os.getppid()
    note_child(made, parent)
    assert has_orphan(made)
    started = psutil.Process(parent).create_time()
    (made.folder / "process.json").write_text(json.dumps({"pid": parent, "started": started - 100}))
    assert not has_orphan(made)
    for told in ('{"pid": true}', '{"pid": -1, "started": 1}', "[", '{"pid": 1e99, "started": 1}'):
        (made.folder / "process.json").write_text(told)
        assert not has_orphan(made)
    forget_child(made)
    assert not (made.folder / "process.json").exists()
