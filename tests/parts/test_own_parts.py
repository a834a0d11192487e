"""Ideas in files of a user's own, from the command line to a trained model and back."""

import os
import re
import shutil
from pathlib import Path

import pytest
import torch
from support.commands import lab, scalars, train_here
from support.runs import OPTIONS, assert_same_run, write_tale

IDEAS = '''
"""Three ideas."""
import torch
import torch.nn.functional as F
from torch import nn

from lab.model import Dropout, MultiHeadAttention


class Norm(nn.Module):
    def __init__(self, emb_dim, bias):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(emb_dim))

    def forward(self, x):
        return F.rms_norm(x, self.scale.shape, self.scale, eps=1e-5)


class GatedMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden = -(-8 * config.emb_dim // 3 // 8) * 8
        self.expand = nn.Linear(config.emb_dim, 2 * hidden, bias=config.bias)
        self.project = nn.Linear(hidden, config.emb_dim, bias=config.bias)
        self.dropout = Dropout(config.drop_rate)

    def forward(self, x):
        gate, up = self.expand(x).chunk(2, dim=-1)
        return self.dropout(self.project(F.silu(gate) * up))


class EveryOther(MultiHeadAttention):
    """A position sees itself, the one before, and every other one before that."""

    def forward(self, x, cache=None):
        queries, keys, values = self.split_heads(x)
        places = torch.arange(x.shape[1], device=x.device) if cache is None else cache.positions
        if cache is not None:
            keys, values, _ = cache.extend(keys, values)
        back = places[..., None] - torch.arange(keys.shape[2], device=x.device)
        seen = (back >= 0) & ((back < 2) | (back % 2 == 0))
        return self.merge_heads(self.attend(queries, keys, values, seen if cache is None else seen[:, None]))
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tale(tmp_path)
    (tmp_path / "ideas").mkdir()
    (tmp_path / "ideas" / "mine.py").write_text(IDEAS)
    return tmp_path


def test_an_idea_that_the_lab_has_too_is_the_same_to_the_bit(folder: Path) -> None:
    own = ("model.norm=ideas/mine.py:Norm", "model.feed_forward=ideas/mine.py:GatedMLP")
    first = train_here(folder, *OPTIONS, *own, "hydra.run.dir=own")
    assert first.code == 0, first.err
    done = train_here(folder, *OPTIONS, "model.norm=rmsnorm", "model.feed_forward=swiglu", "hydra.run.dir=labs")
    assert done.code == 0, done.err
    assert f"checkpoint=own{os.sep}checkpoints{os.sep}best.ckpt parts=ideas/mine.py prompt=" in first.out
    assert scalars(folder / "own")["train_loss"] == scalars(folder / "labs")["train_loss"]
    assert scalars(folder / "own")["val_loss"] == scalars(folder / "labs")["val_loss"]


@pytest.mark.slow
def test_a_model_of_ones_own_asks_for_its_file_wherever_it_is_opened(folder: Path) -> None:
    own = ("model.attention=ideas/mine.py:EveryOther", "model.norm=ideas/mine.py:Norm")
    assert train_here(folder, *OPTIONS, *own, "save_every=5", "hydra.run.dir=whole").code == 0
    asked = r"give the file again, with parts=ideas/mine.py"
    # Elsewhere, and the old place is gone.
    (folder / "elsewhere").mkdir()
    shutil.move(folder / "ideas" / "mine.py", folder / "elsewhere" / "mine.py")
    for command, *arguments in (
        ("generate", "prompt=The fox", "max_tokens=4", "temperature=0"),
        ("evaluate", "stride=3"),
        ("inspect", "prompt=The fox and the mill", "to=inside", "ablate=true"),
        ("export", "to=out.safetensors"),
    ):
        done = lab(folder, command, "checkpoint=whole", *arguments)
        assert done.code == 1
        assert asked in done.err
        assert len(done.err.strip().splitlines()) == 1
        done = lab(folder, command, "checkpoint=whole", "parts=elsewhere/mine.py", *arguments)
        assert done.code == 0, done.err
    done = lab(folder, "generate", "checkpoint=out.safetensors", "parts=elsewhere/mine.py", "prompt=The fox", "seed=1")
    assert done.code == 0, done.err
    done = lab(folder, "export", "checkpoint=whole", "parts=elsewhere/mine.py", "to=hugging")
    assert "transformers has no model that computes the same" in done.err
    assert not (folder / "hugging").exists()
    more = ("hydra.run.dir=on", "resume=whole/checkpoints/step-00000005.ckpt")
    done = train_here(folder, *more)
    assert done.code == 1
    assert asked in done.err
    assert not (folder / "on").exists()
    done = train_here(folder, *more, "parts=elsewhere/mine.py")
    assert done.code == 0, done.err
    assert_same_run(folder / "whole", folder / "on")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("model.norm=ideas/none.py:Norm", r"ideas/none\.py cannot be read"),
        ("model.norm=ideas/mine.py:Nrom", r"there is no Nrom in ideas/mine\.py; it has Norm, GatedMLP, EveryOther"),
        ("model.block=ideas/mine.py:GatedMLP", "model.block=ideas/mine.py:GatedMLP cannot be made"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(option: str, said: str, folder: Path) -> None:
    done = train_here(folder, *OPTIONS, option, "hydra.run.dir=run")
    assert done.code == 1
    assert re.search(said, done.err)
    assert len(done.err.strip().splitlines()) == 1
    assert not (folder / "run").exists()


def test_a_hostile_checkpoint_names_code_in_vain(folder: Path) -> None:
    assert train_here(folder, *OPTIONS, "trainer.max_steps=2", "hydra.run.dir=run").code == 0
    (folder / "evil.py").write_text("open('pwned', 'w').close()\nclass Norm: pass\n")
    for path in (folder / "run" / "checkpoints").glob("*.ckpt"):
        found = torch.load(path, weights_only=True)
        found["lab"]["config"]["model"]["norm"] = "evil.py:Norm"
        torch.save(found, path)
    for done in (
        lab(folder, "generate", "checkpoint=run/checkpoints/last.ckpt", "prompt=The"),
        train_here(folder, "resume=run/checkpoints/last.ckpt", "trainer.max_steps=4", "hydra.run.dir=on"),
    ):
        assert done.code == 1
        assert "parts=evil.py" in done.err
        assert not (folder / "pwned").exists()
