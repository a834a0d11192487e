"""A checkpoint is read whole, as data, or refused."""

import os
import pickle
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.commands import TINY, lab, train_here
from support.runs import OPTIONS, write_tale

from lab.config import compose
from lab.errors import LabError
from lab.runs import checkpoint
from lab.runs.digest import digest
from lab.training import resume


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound checkpoint."""
    folder = tmp_path_factory.mktemp("good")
    write_tale(folder)
    assert train_here(folder, *OPTIONS, "model.emb_dim=16", "trainer.max_steps=2", "hydra.run.dir=run").code == 0
    return folder / "run" / "checkpoints" / "last.ckpt"


def assert_refused(path: Path, *words: str) -> None:
    with pytest.raises(LabError) as told:
        checkpoint.load(path)
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)
    for word in words:
        assert word in str(told.value)


def test_an_empty_a_foreign_and_an_older_checkpoint(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    path.write_bytes(b"")
    assert_refused(path, "damaged or not a checkpoint")
    path.write_bytes(b"PK\x03\x04 but no more")
    assert_refused(path, "damaged or not a checkpoint")
    torch.save({"state_dict": {}}, path)
    assert_refused(path, "not a checkpoint of this lab")
    torch.save([1, 2, 3], path)
    assert_refused(path, "not a checkpoint of this lab")
    found = torch.load(good, weights_only=True)
    found["lab"]["format"] = 0
    torch.save(found, path)
    assert_refused(path, "format 0", "formats 1 to")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.9999))
def test_a_truncated_checkpoint_is_refused(good: Path, tmp_path: Path, share: float) -> None:
    data = good.read_bytes()
    path = tmp_path / "torn.ckpt"
    path.write_bytes(data[: int(share * len(data))])
    assert_refused(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), optimizer=st.booleans())
def test_a_flipped_bit_is_refused_or_harmless(
    good: Path, tmp_path: Path, place: float, bit: int, optimizer: bool
) -> None:
    data = bytearray(good.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path = tmp_path / "flipped.ckpt"
    path.write_bytes(data)
    try:
        found = checkpoint.load(path, optimizer)
    except LabError:
        return
    # It hit padding between the parts of the file, or what was not asked for.
    sound = checkpoint.load(good)["state_dict"]
    assert all(torch.equal(found["state_dict"][name], sound[name]) for name in sound)


def as_format(found: dict[str, Any], version: int) -> dict[str, Any]:
    """A checkpoint as the lab of then wrote it: without a checksum, with one over everything, with two."""
    if version > 5:
        return checkpoint.sealed(found)
    described = {key: value for key, value in found["lab"].items() if "checksum" not in key} | {"format": version}
    if version > 1:
        described["checksum"] = digest({**found, "lab": described})
    return {**found, "lab": described}


def flip(path: Path, part: str) -> None:
    """The last bit of a part of the zip file at ``path``."""
    with zipfile.ZipFile(path) as parts:
        inside = parts.getinfo(f"{path.stem}/{part}")
    data = bytearray(path.read_bytes())
    name, extra = (int.from_bytes(data[inside.header_offset + at :][:2], "little") for at in (26, 28))
    data[inside.header_offset + 30 + name + extra + inside.file_size - 1] ^= 1
    path.write_bytes(data)


def part_of(tensor: torch.Tensor, path: Path) -> str:
    """Where torch has put the numbers of a tensor into the zip file at ``path``."""
    data = tensor.numpy().tobytes()
    with zipfile.ZipFile(path) as parts:
        (found,) = (name for name in parts.namelist() if "/data/" in name and parts.read(name) == data)
    return found.removeprefix(f"{path.stem}/")


@pytest.mark.parametrize("version", [1, 5, 6])
@pytest.mark.parametrize("where", ["a weight", "the optimizer", "what is said of them"])
def test_a_flipped_bit_is_found_in_every_format_and_part(good: Path, tmp_path: Path, version: int, where: str) -> None:
    """In a tensor by the checkpoint's own checksum, or, as format 1 has none, by that of the file's part."""
    found = torch.load(good, weights_only=True)
    path = tmp_path / "flipped.ckpt"
    torch.save(as_format(found, version), path)
    whole = checkpoint.load(path)
    tensors = {"a weight": found["state_dict"]["model.head.weight"]}
    tensors["the optimizer"] = found["optimizer_states"][0]["state"][0]["exp_avg"]
    flip(path, part_of(tensors[where], path) if where in tensors else "data.pkl")
    said = "was changed" if where in tensors else "damaged"
    assert_refused(path, said)
    if (version, where) == (6, "the optimizer"):  # nobody who wants the model need read it
        alone = checkpoint.load(path, optimizer=False)
        assert alone["optimizer_states"] == []
        assert alone["state_dict"].keys() == whole["state_dict"].keys()
        assert all(torch.equal(alone["state_dict"][name], whole["state_dict"][name]) for name in whole["state_dict"])
    else:
        with pytest.raises(LabError, match=said):
            checkpoint.load(path, optimizer=False)


def test_a_model_that_was_read_stays_what_it_is_whoever_writes_over_its_file(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    shutil.copyfile(good, path)
    found = checkpoint.load(path, optimizer=False)["state_dict"]
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    sound = checkpoint.load(good)["state_dict"]
    assert all(torch.equal(found[name], sound[name]) for name in sound)


def test_a_payload_is_refused_and_does_not_run(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = tmp_path / "executed"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {evidence}",)

    found = torch.load(good, weights_only=True)
    found["callbacks"]["Record"]["val"] = Payload()
    zipped = tmp_path / "zipped.ckpt"
    torch.save(found, zipped)
    plain = tmp_path / "plain.ckpt"
    plain.write_bytes(pickle.dumps(Payload()))
    legacy = tmp_path / "legacy.ckpt"
    torch.save(found, legacy, _use_new_zipfile_serialization=False)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # what would switch torch's own safety off
    for path in (zipped, plain, legacy):
        done = train_here(tmp_path, *TINY, f"resume={path}")
        assert done.code == 1
        assert done.err.startswith("error: ")
        assert len(done.err.strip().splitlines()) == 1
    done = lab(tmp_path, "generate", f"checkpoint={zipped}")
    assert "could run code" in done.err
    assert not evidence.exists()
    os.system(f"touch {evidence}")  # the payload would have worked
    assert evidence.exists()


def test_what_a_checkpoint_says_is_never_built(good: Path, tmp_path: Path) -> None:
    """Targets, loggers, callbacks and addresses written into a checkpoint's options are not taken over."""
    evidence = tmp_path / "built"
    evil = {"_target_": "os.system", "command": f"touch {evidence}"}
    found = torch.load(good, weights_only=True)
    config = found["lab"]["config"]
    config["logger"] = {"evil": evil}
    config["callbacks"] = {"evil": evil}
    config["optimizer"] |= evil
    config["corpus"] |= {"name": "verdict", "url": "http://127.0.0.1:9/evil", "path": "../../evil"}
    config["sample"]["prompt"] = "${oc.env:HOME}"
    config["seed"] = "42 hydra.run.dir=/evil"
    path = tmp_path / "evil.ckpt"
    torch.save(found, path)
    taken = resume.inherited_overrides([f"resume={path}"], tmp_path)
    assert not [word for word in taken if "_target_" in word or ("evil" in word and "seed" not in word)]
    composed = compose.compose_quoted([word for word in taken if not word.startswith("seed")])
    assert composed.sample.prompt == "${oc.env:HOME}"
    assert composed.optimizer._target_ == "torch.optim.AdamW"
    done = lab(tmp_path, "train", f"resume={path}")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert not evidence.exists()


def test_a_torn_newest_checkpoint_is_passed_over(good: Path, tmp_path: Path) -> None:
    run = tmp_path / "outputs" / "day" / "run"
    shutil.copytree(good.parent.parent, run)
    torn = run / "checkpoints" / "step-00000099.ckpt"
    torn.write_bytes(good.read_bytes()[:5000])
    os.utime(torn, (time.time() + 60, time.time() + 60))
    assert checkpoint.find("last", tmp_path).name in ("last.ckpt", "best.ckpt")
    assert checkpoint.find(str(run), tmp_path).name in ("last.ckpt", "best.ckpt")


def test_a_checkpoint_with_parts_missing_is_refused(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "parts.ckpt"
    for keys in (("loops",), ("global_step",), ("callbacks", "Record"), ("lab", "config"), ("lab", "corpus", "name")):
        found = torch.load(good, weights_only=True)
        inner = found
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = None
        torch.save(found, path)
        assert_refused(path, "lacks parts")
