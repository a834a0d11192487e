"""Which run, and which checkpoint of it, is the newest."""

import os
import shutil
from pathlib import Path

from support.commands import train_here
from support.runs import OPTIONS, write_tale

from lab.runs import checkpoint


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
        assert file.is_dir() or file.parent.name == "checkpoints" or not os.utime(file, (3e9, 3e9))
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
