"""The weights of some moments: from step 0 on, evenly spread, and nothing that a run goes on from."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.commands import inside, train_here
from support.runs import OPTIONS, assert_same_run, weights, write_tale

from lab.config import compose
from lab.config.schema import check
from lab.runs import checkpoint, events
from lab.training import disk_estimate, wiring

SMALL = (*OPTIONS, "tokenizer=bytes", "sample.max_tokens=0")
LENGTH = ("trainer.max_steps=20", "eval_every=10")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that saves, and says no more of it."""
    folder = tmp_path_factory.mktemp("saved")
    write_tale(folder)
    done = train_here(folder, *SMALL, *LENGTH, "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert "the weights of 10 moments" in done.out
    return folder / "run"


@pytest.fixture
def again(saved: Path, tmp_path: Path) -> Path:
    """A copy of it, in a folder with its text."""
    write_tale(tmp_path)
    shutil.copytree(saved, tmp_path / "run")
    return tmp_path


def steps(run: Path) -> list[int]:
    found = sorted(int(path.stem.removeprefix("weights-")) for path in (run / "checkpoints").glob("weights-*.ckpt"))
    told: list[int] = []
    for event in events.read(run):
        if event["kind"] in ("checkpoint", "removed") and "weights-" in event["path"]:
            told = [step for step in told if step != event["step"]]
            told += [event["step"]] if event["kind"] == "checkpoint" else []
    assert sorted(told) == found  # the log says what is there
    return found


@given(first=st.integers(1, 10**7), growth=st.lists(st.floats(1, 9), max_size=4), most=st.integers(1, 50))
def test_they_lie_evenly_however_often_a_run_is_prolonged(first: int, growth: Sequence[float], most: int) -> None:
    total, kept = first, list(range(0, first, disk_estimate.spacing(most, first)))
    assert len(kept) <= most
    for factor in growth:
        total = int(total * factor)
        every = disk_estimate.spacing(most, total, kept)
        kept = [step for step in kept if step % every == 0]
        # What was let go of leaves no hole: all that are due up to here are there.
        assert kept == list(range(0, kept[-1] + 1, every))
        kept = list(range(0, total, every))
        assert min(total, most) / 4 <= len(kept) <= most


def test_ten_of_them_from_the_untrained_weights_on(saved: Path) -> None:
    assert steps(saved) == list(range(0, 20, 2))
    untrained = wiring.make_model(check(compose.compose_config(list(SMALL)))).state_dict()
    first = weights(saved, "weights-00000000.ckpt")
    assert first.keys() == {f"model.{name}" for name in untrained}
    assert all(torch.equal(first[f"model.{name}"], tensor) for name, tensor in untrained.items())
    sizes = {path.name: path.stat().st_size for path in (saved / "checkpoints").iterdir()}
    assert sizes["weights-00000018.ckpt"] < 0.5 * sizes["last.ckpt"]


def test_a_prolonged_run_lets_go_of_every_second_one(again: Path) -> None:
    done = train_here(again, "resume=run", "hydra.run.dir=run", "trainer.max_steps=30")
    assert done.code == 0, done.err
    assert steps(again / "run") == list(range(0, 30, 4))


def test_in_a_new_folder_the_earlier_ones_have_a_second_name(again: Path) -> None:
    done = train_here(again, "resume=run", "hydra.run.dir=next", "trainer.max_steps=22")
    assert done.code == 0, done.err
    assert steps(again / "next") == list(range(0, 22, 4))
    assert steps(again / "run") == list(range(0, 20, 2))  # whose they are, they stay
    name = "checkpoints/weights-00000016.ckpt"
    assert (again / "run" / name).samefile(again / "next" / name)


def test_step_0_is_gone_on_from_like_any_other(saved: Path, again: Path) -> None:
    """As after a kill before the first evaluation: there is nothing else yet, and it is the whole state."""
    for path in (again / "run" / "checkpoints").iterdir():
        if path.name != "weights-00000000.ckpt":
            path.unlink()
    for name in ("state.json", "results.json"):
        (again / "run" / name).unlink()
    done = train_here(again, *SMALL, *LENGTH, "resume=auto", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert "nothing left to do" not in done.out
    assert_same_run(saved, again / "run")
    assert steps(again / "run") == list(range(0, 20, 2))


def test_the_weights_alone_are_written_with_and_not_gone_on_from(again: Path) -> None:
    from lab import generate

    folder = again / "run" / "checkpoints"
    assert checkpoint.find("run", again).name == "last.ckpt"
    for name in ("last.ckpt", "best.ckpt"):
        (folder / name).unlink()
    assert checkpoint.find("run", again, "checkpoint").name == "weights-00000018.ckpt"
    assert checkpoint.find("run", again).name == "weights-00000000.ckpt"
    code, out, err = inside(generate.main, again, "checkpoint=run", "prompt=On day", "max_tokens=4")
    assert (code, err, out[:6]) == (0, "", "On day")
    # Another rate, with which an optimizer that remembers nothing would pass for a new one.
    done = train_here(again, f"resume={folder}/weights-00000018.ckpt", "optimizer.lr=1e-3", "hydra.run.dir=next")
    assert done.code == 1
    assert "holds the weights of step 18 alone" in done.err
    assert not (again / "next").exists()
    renamed = folder / "last.ckpt"  # a name is only a name
    (folder / "weights-00000018.ckpt").rename(renamed)
    assert checkpoint.find("run", again) != renamed


@pytest.mark.parametrize(
    ("words", "kept"), [(("save_every=2", "keep=1"), [0]), (("snapshots=0",), []), (("snapshots=3",), [0, 2])]
)
def test_who_says_how_many_gets_as_many(tmp_path: Path, words: tuple[str, ...], kept: list[int]) -> None:
    write_tale(tmp_path)
    done = train_here(tmp_path, *SMALL, "trainer.max_steps=4", *words, "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert steps(tmp_path / "run") == kept
    periodic = [path.name for path in (tmp_path / "run" / "checkpoints").glob("step-*")]
    assert periodic == (["step-00000004.ckpt"] if "keep=1" in words else [])
