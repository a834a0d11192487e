"""Which run, and which checkpoint of it, is the newest."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from support.commands import train_here
from support.runs import OPTIONS, write_tale

from lab.runs import checkpoint, events, newest
from lab.runs.events import EventLog
from lab.runs.newest import checkpoints_first, last_heard, runs_first, step_of


def test_the_newest_is_what_was_trained_last_whatever_the_files_times_say(tmp_path: Path) -> None:
    write_tale(tmp_path)
    for run, steps in (("first", 3), ("second", 2)):
        options = (f"trainer.max_steps={steps}", f"hydra.run.dir=outputs/{run}", "save_every=1")
        assert train_here(tmp_path, *OPTIONS, *options).code == 0
    first, second = tmp_path / "outputs" / "first", tmp_path / "outputs" / "second"
    old = ["last.ckpt", "step-00000003.ckpt", "best.ckpt", "step-00000002.ckpt", "step-00000001.ckpt"]
    for age, name in enumerate(reversed(old)):  # what cp -r may make of them
        os.utime(first / "checkpoints" / name, (2e9 - age, 2e9 - age))
    for file in first.rglob("*"):
        if file.is_file() and file.parent.name != "checkpoints":
            os.utime(file, (3e9, 3e9))
    assert checkpoint.find(str(first), tmp_path) == first / "checkpoints" / "last.ckpt"
    assert checkpoint.find("last", tmp_path) == second / "checkpoints" / "last.ckpt"
    (second / "state.json").unlink()  # then its log tells
    assert checkpoint.find("last", tmp_path) == second / "checkpoints" / "last.ckpt"


def test_a_branch_that_was_given_up_is_not_the_newest_and_only_own_checkpoints_go(tmp_path: Path) -> None:
    write_tale(tmp_path)
    options = ("save_every=1", "keep=3", "hydra.run.dir=run")
    assert train_here(tmp_path, *OPTIONS, *options, "trainer.max_steps=6").code == 0
    folder = tmp_path / "run" / "checkpoints"
    for mine in ("step-mine.ckpt", "step-00000001.ckpt", "x.ckpt"):
        shutil.copy(folder / "last.ckpt", folder / mine)
    back = train_here(tmp_path, f"resume={folder}/step-00000004.ckpt", "hydra.run.dir=run", "trainer.max_steps=5")
    assert back.code == 0, back.err
    assert checkpoint.load(checkpoint.find("run", tmp_path))["global_step"] == 5
    kept = {file.name for file in folder.glob("*.ckpt")}
    assert kept >= {"step-mine.ckpt", "step-00000001.ckpt", "x.ckpt", "step-00000005.ckpt"}
    assert train_here(tmp_path, "resume=run", "hydra.run.dir=run", "trainer.max_steps=8").code == 0
    stay = {"step-mine.ckpt", "step-00000001.ckpt", *(f"step-0000000{step}.ckpt" for step in (6, 7, 8))}
    assert {file.name for file in folder.glob("step-*")} == stay


def test_a_checkpoint_of_several_names_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "last.ckpt", tmp_path / "step-00000002.ckpt"
    for step, path in ((3, one), (2, other)):
        torch.save({"lab": {}, "global_step": step}, path)
    for name in ("best.ckpt", "step-00000003.ckpt"):
        os.link(one, tmp_path / name)
    read: list[Path] = []

    def looked(path: Path) -> int | None:
        read.append(path)
        return step_of(path)

    monkeypatch.setattr(newest, "step_of", looked)
    names = [path.name for path in checkpoints_first(sorted(tmp_path.glob("*.ckpt")), tmp_path)]
    assert names == ["last.ckpt", "step-00000003.ckpt", "best.ckpt", "step-00000002.ckpt"]
    assert len(read) == 2


def test_the_run_that_was_heard_of_last_comes_first(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder, updated in zip(folders, (5.0, 7.0, None), strict=True):
        folder.mkdir()
        if updated:
            (folder / "state.json").write_text(json.dumps({"state": "finished", "updated": updated}))
    line = {"seq": 0, "kind": "metrics", "step": 1}
    (folders[2] / "events.jsonl").write_text("".join(json.dumps({**line, "time": t}) + "\n" for t in (6.0, 2.0)))
    assert runs_first(folders) == [folders[1], folders[2], folders[0]]
    (tmp_path / "d").mkdir()
    assert last_heard(tmp_path / "d") == 0.0


def test_a_branch_that_was_given_up_comes_last(tmp_path: Path) -> None:
    """By what the log tells: steps 4 and 6 were written, and then the run went on from step 2 and came to 4 again."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    log = EventLog(tmp_path)
    for step in (4, 6):
        log.checkpoint(step, f"checkpoints/step-{step:08}.ckpt")
    log.close()
    told = list(events.read(tmp_path))
    events.begin_again(tmp_path, told, told, 2)
    log = EventLog(tmp_path)
    log.checkpoint(4, "checkpoints/step-00000004.ckpt")
    log.close()
    files = [folder / f"step-{step:08}.ckpt" for step in (2, 4, 6)]
    for file, step in zip(files, (2, 4, 6), strict=True):
        torch.save({"lab": {}, "global_step": step}, file)
    torch.save({"lab": {}, "global_step": 9}, folder / "step-00000008.ckpt")  # not the step of its name: another run's
    torch.save({"global_step": 9}, folder / "last.ckpt")  # none of the lab's
    (folder / "best.ckpt").write_bytes(b"torn")
    found = checkpoints_first(folder.iterdir(), tmp_path)
    assert found == [files[1], files[0], folder / "step-00000008.ckpt", files[2]]
