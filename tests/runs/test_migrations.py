"""A run that was written when all of lab/ was one flat folder still opens, is shown, and goes on.

``old_run`` was trained for 6 steps by the code of then; its checkpoint is that of step 3, its log goes to the end.
"""

import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import yaml
from support.commands import lab, train_here
from support.runs import write_tale

from lab.model import GPTConfig
from lab.parts.config import ModelConfig
from lab.runs import checkpoint, events, migrations
from lab.runs.results import read_results
from lab.runs.state import read_state

OLD_RUN = Path(__file__).parent / "old_run"


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    shutil.copytree(OLD_RUN, tmp_path / "run")
    write_tale(tmp_path)
    return tmp_path / "run"


def losses(run: Path) -> dict[int, float]:
    return {e["step"]: e["train_loss"] for e in events.read(run) if e["kind"] == "metrics" and "train_loss" in e}


def test_it_says_what_it_was(old_run: Path) -> None:
    found = checkpoint.load(old_run / "checkpoints" / "step-00000003.ckpt")
    assert found["lab"]["format"] == migrations.FORMAT
    assert found["lab"]["config"]["callbacks"]["early_stopping"]["_target_"] == "lab.training.callbacks.EarlyStopping"
    assert yaml.safe_load((old_run / "config.yaml").read_text())["callbacks"]["early_stopping"]["_target_"] == (
        "lab.callbacks.EarlyStopping"  # what a run has written stays what it is
    )
    assert checkpoint.read_metadata(old_run / "checkpoints" / "step-00000003.ckpt") == (found["lab"], 3)
    assert read_state(old_run).state == "finished"
    assert read_results(old_run).steps == 6
    assert sorted(losses(old_run)) == [1, 2, 3, 4, 5, 6]


def test_it_goes_on_as_it_did_then(old_run: Path, tmp_path: Path) -> None:
    """With its own model, optimizer, loggers and callbacks: nothing but the path of its text is typed again."""
    done = train_here(tmp_path, f"resume={old_run / 'checkpoints'}", "corpus.path=tale.txt", "hydra.run.dir=on")
    assert done.code == 0, done.err
    assert "not taken over" not in done.err
    then, now = losses(old_run), losses(tmp_path / "on")
    assert sorted(now) == sorted(then)
    # Another processor may round otherwise; a step that was left out or done twice would be seen.
    assert all(now[step] == pytest.approx(then[step], rel=1e-5) for step in then)
    written = checkpoint.load(tmp_path / "on" / "checkpoints" / "last.ckpt")["lab"]
    assert (written["format"], "checksum" in written) == (migrations.FORMAT, True)
    assert "EarlyStopping" in str(json.dumps(written["config"]["callbacks"]))


def test_its_model_is_used(old_run: Path, tmp_path: Path) -> None:
    done = lab(tmp_path, "generate", "checkpoint=run", "prompt=The fox", "max_tokens=2", "seed=1")
    assert done.code == 0, done.err
    assert done.out.startswith("The fox")


def test_a_format_of_tomorrow_is_named(old_run: Path) -> None:
    import torch

    path = old_run / "checkpoints" / "step-00000003.ckpt"
    found = torch.load(path, weights_only=True)
    found["lab"]["format"] = migrations.FORMAT + 1
    torch.save(found, path)
    with pytest.raises(checkpoint.LabError, match=f"format {migrations.FORMAT + 1}, and this version of the lab reads"):
        checkpoint.load(path)


@pytest.mark.parametrize("said", [1, 2, 3, 4, 5, 6])
def test_what_needs_no_translation_stays(said: int) -> None:
    options = {
        "model": asdict(ModelConfig()),
        "optimizer": {"_target_": "torch.optim.SGD"},
        "logger": {"a": {"_target_": "x.lab.callbacks.B"}},
        "n": [1],
    }
    found = migrations.migrated({"format": said, "config": options})
    assert found == {"format": migrations.FORMAT, "config": options}


def test_a_model_that_says_nothing_of_parts_has_those_of_gpt2() -> None:
    sizes = {f.name: getattr(GPTConfig(), f.name) for f in fields(GPTConfig)}
    found = migrations.migrated({"format": 3, "config": {"model": {**sizes, "emb_dim": 64}}})
    assert found["config"]["model"] == asdict(ModelConfig(emb_dim=64))
