"""Checkpoints in shards: opened as those of one file are, and with as much suspicion."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from support.commands import inside, train_here
from support.runs import OPTIONS, write_tale

from lab.errors import LabError
from lab.runs import checkpoint, shards

NAME = "shards-00000002-0123abcd"
Change = Callable[[dict[str, Any], Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with a checkpoint of one file."""
    folder = tmp_path_factory.mktemp("whole")
    write_tale(folder)
    words = ("tokenizer=bytes", "model.emb_dim=16", "trainer.max_steps=2", "snapshots=0", "hydra.run.dir=run")
    assert train_here(folder, *OPTIONS, *words).code == 0
    return folder / "run"


def cut(path: Path, ways: int = 2) -> dict[str, Any]:
    """Writes the tensors of a checkpoint as ``ways`` processes would, each its rows. Returns what is left of it."""
    found = torch.load(path, weights_only=True)
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in list(found["state_dict"].items()):
        tensors[name] = tensor
        found["state_dict"][name] = name
    for number, row in found["optimizer_states"][0]["state"].items():
        for name in ("exp_avg", "exp_avg_sq"):
            tensors[f"{number}.{name}"] = row[name]
            row[name] = f"{number}.{name}"
    folder = path.parent / NAME
    folder.mkdir()
    files = {}
    for part in range(ways):
        mine, offsets = {}, {}
        for name, tensor in tensors.items():
            rows = -(-len(tensor) // ways)
            if (first := part * rows) < len(tensor):
                mine[name] = tensor[first : first + rows].clone()
                offsets[name] = {"saved_offsets": [first] + [0] * (tensor.dim() - 1)}
        file = folder / f"shard-{part + 1:05d}-model-00001-of-00001.safetensors"
        save_file(mine, file, {"DCP_SHARDING_INFO": json.dumps(offsets), "DCP_VERSION": "1.0"})
        files[file.name] = told(file)
    found["lab"].pop("checksum")
    return {**found, "shards": {"folder": NAME, "files": files}}


def told(file: Path) -> dict[str, Any]:
    return {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


@pytest.mark.parametrize("ways", [1, 3])
def test_it_is_the_same_checkpoint(whole: Path, tmp_path: Path, ways: int) -> None:
    """Weights, averages and all, in another number of pieces than there are rows of some; and it is written with."""
    from lab import generate

    run = shutil.copytree(whole, tmp_path / "run")
    last = run / "checkpoints" / "last.ckpt"
    before = checkpoint.load(last)
    checkpoint.save(cut(last, ways), last)
    assert last.stat().st_size < 0.5 * (whole / "checkpoints" / "last.ckpt").stat().st_size
    after = checkpoint.load(last)
    assert all(torch.equal(after["state_dict"][name], tensor) for name, tensor in before["state_dict"].items())
    states = [found["optimizer_states"][0]["state"] for found in (before, after)]
    for number, row in states[0].items():
        assert all(torch.equal(torch.as_tensor(states[1][number][name]), torch.as_tensor(v)) for name, v in row.items())
    assert before["callbacks"] == after["callbacks"]
    code, out, err = inside(generate.main, tmp_path, "checkpoint=run", "prompt=On day", "max_tokens=4")
    assert (code, err, out[:6]) == (0, "", "On day")


def moved(found: dict[str, Any], folder: Path) -> None:
    shutil.move(folder, folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def flipped(found: dict[str, Any], folder: Path) -> None:
    file = next(folder.iterdir())
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def doubled(found: dict[str, Any], folder: Path) -> None:
    """The second process's rows, once more."""
    file = shutil.copy(next(folder.glob("shard-00002-*")), folder / "shard-00003-model-00001-of-00001.safetensors")
    found["shards"]["files"][Path(file).name] = told(Path(file))


def absent(found: dict[str, Any], folder: Path) -> None:
    file = next(folder.glob("shard-00001-*"))
    file.unlink()
    found["shards"]["files"].pop(file.name)


def huge(found: dict[str, Any], folder: Path) -> None:
    """A small file that says it lies far down in a tensor of billions of rows."""
    file = next(folder.glob("shard-00001-*"))
    where = {"x": {"saved_offsets": [10**12, 0]}}
    save_file({"x": torch.zeros(1, 1)}, file, {"DCP_SHARDING_INFO": json.dumps(where)})
    found["shards"]["files"] = {file.name: told(file)}
    next(folder.glob("shard-00002-*")).unlink()


def garbage(found: dict[str, Any], folder: Path) -> None:
    file = next(folder.glob("shard-00001-*"))
    file.write_bytes(b"\xff" * 100)
    found["shards"]["files"][file.name] = told(file)


def named(name: str) -> Change:
    return lambda found, _: found["shards"].update(folder=name)


def with_file(name: str) -> Change:
    return lambda found, _: found["shards"]["files"].update({name: {"bytes": 1, "sha256": "0"}})


def nameless(found: dict[str, Any], _: Path) -> None:
    found["state_dict"]["model.head.weight"] = "x"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _, folder: shutil.rmtree(folder), "is not there"),
        (lambda _, folder: next(folder.iterdir()).unlink(), "is not there"),
        (moved, "was changed"),
        (flipped, "was changed"),
        (doubled, "do not fit together"),
        (absent, "do not fit together"),
        (huge, "do not fit together"),
        (garbage, "cannot be read"),
        (lambda _, folder: (folder / "more.safetensors").touch(), "not all the files"),
        (named("../../shards-00000002-0123abcd"), "names that no shard has"),
        (named("/etc"), "names that no shard has"),
        (with_file("../last.ckpt"), "names that no shard has"),
        (nameless, "have no 'x'"),
        (lambda found, _: found.update(shards=[]), "must be a dict"),
    ],
)
def test_what_is_not_whole_is_refused(whole: Path, tmp_path: Path, change: Change, why: str) -> None:
    run = shutil.copytree(whole, tmp_path / "run")
    path = run / "checkpoints" / "x.ckpt"
    found = cut(run / "checkpoints" / "last.ckpt")
    change(found, path.parent / NAME)
    checkpoint.save(found, path)
    with pytest.raises(LabError, match=why) as refused:
        checkpoint.load(path)
    assert "\n" not in str(refused.value)
    assert checkpoint.find("run", tmp_path).name in ("last.ckpt", "best.ckpt")  # which is whole


def test_shards_go_with_the_last_checkpoint_that_names_them(whole: Path, tmp_path: Path) -> None:
    run = shutil.copytree(whole, tmp_path / "run")
    folder = run / "checkpoints"
    checkpoint.save(cut(folder / "last.ckpt"), folder / "last.ckpt")
    checkpoint.link(folder / "last.ckpt", folder / "best.ckpt")
    (folder / "shards-00000001-00000000").mkdir()  # of a process that was killed
    (folder / "mine").mkdir()
    assert shards.n_bytes(folder, 2) == sum(file.stat().st_size for file in (folder / NAME).iterdir())
    for name in ("last.ckpt", "best.ckpt"):
        shards.tidy(folder)
        assert {path.name for path in folder.iterdir() if path.is_dir()} == {NAME, "mine"}
        assert checkpoint.load(folder / name)["global_step"] == 2
        (folder / name).unlink()
    shards.tidy(folder)
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"mine"}
