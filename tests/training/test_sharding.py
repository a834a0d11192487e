"""Weights shared out between two processes: the same losses, and checkpoints as of any other run."""

import signal
from pathlib import Path

import pytest
import torch
from support.commands import inside
from support.runs import weights
from support.several import ALONE, SAME, TWO, assert_one_run, assert_same_curve, begun, ended, folder, here, sends

from lab.runs import checkpoint

SHARED = (*TWO, "trainer.strategy=fsdp", "save_every=8")


@pytest.mark.slow
def test_weights_that_are_shared_out(tmp_path: Path) -> None:
    """Tied weights, too. A checkpoint is one file, which is generated from, exported, and gone on with: by as many
    processes, and by one that has all weights for itself."""
    from lab import export, generate

    place, tied = folder(tmp_path), "model.tie_embeddings=true"
    here(place, *SAME, *ALONE, tied, "hydra.run.dir=alone")
    done = here(place, *SAME, *SHARED, tied)
    assert "on each of 2 devices (fsdp)" in done.out
    assert_one_run(place / "run")
    # The length of a gradient is added up in fp32, from shares of a table with a million numbers.
    assert_same_curve(place / "alone", place / "run", norm=1e-4)
    one, shared = (checkpoint.load(place / run / "checkpoints/last.ckpt") for run in ("alone", "run"))
    assert one["state_dict"].keys() == shared["state_dict"].keys()
    # Adam makes whole steps of gradients near zero, rounding and all: single weights differ by more than losses do.
    for name, tensor in one["state_dict"].items():
        assert (tensor - shared["state_dict"][name]).abs().mean() < 1e-4, name
    kept = [found["optimizer_states"][0]["state"] for found in (one, shared)]
    assert kept[0].keys() == kept[1].keys()
    for number, row in kept[0].items():
        assert torch.allclose(row["exp_avg"], kept[1][number]["exp_avg"], atol=1e-4)
    code, out, err = inside(generate.main, place, "checkpoint=run", "prompt=On day", "max_tokens=4")
    assert (code, err) == (0, "")
    assert out.startswith("On day")
    assert inside(export.main, place, "checkpoint=run", "to=out.safetensors")[0] == 0
    # From step 8 on, as two and as one.
    again = ("resume=run/checkpoints/step-00000008.ckpt", "parts=mine.py")
    here(place, *again, "hydra.run.dir=two")
    first, second = weights(place / "run"), weights(place / "two")
    assert all(torch.equal(first[name], second[name]) for name in first)
    here(place, *again, *ALONE, "trainer.devices=1", "trainer.strategy=auto", "hydra.run.dir=one")
    assert_same_curve(place / "alone", place / "one", norm=1e-4)


_DIES = '''
import os, signal
import lightning as L
from lab.runs import shards


class Dies(L.Callback):
    """The process of a rank dies between its shard and the list of all."""

    def __init__(self, rank, step):
        self.rank, self.step = rank, step

    def on_save_checkpoint(self, trainer, module, checkpoint):
        if trainer.global_rank == self.rank and trainer.global_step == self.step:
            shards._digest = lambda file: os.kill(os.getpid(), signal.SIGKILL)
'''
IN_SHARDS = (*TWO, "trainer.strategy=fsdp", "trainer.checkpoints=sharded", "save_every=8", "tokenizer=bytes")


@pytest.mark.slow
def test_checkpoints_in_shards(tmp_path: Path) -> None:
    """The same run, bit for bit, as with one file; what opens the one opens the other, and goes on from it."""
    from lab import evaluate, export, generate

    place, tied = folder(tmp_path), "model.tie_embeddings=true"
    here(place, *SAME, *IN_SHARDS, tied)
    here(place, *SAME, *IN_SHARDS, tied, "trainer.checkpoints=consolidated", "hydra.run.dir=one")
    there = place / "run" / "checkpoints"
    # best and last may be of one step: no more folders than there are steps.
    names = ("last.ckpt", "best.ckpt", "step-00000008.ckpt", "weights-00000000.ckpt")
    steps = {checkpoint.read_metadata(there / name)[1] for name in names}
    assert len(list(there.glob("shards-*"))) == len(steps)
    assert all(len(list(path.iterdir())) == 2 for path in there.glob("shards-*"))
    for name in names:
        one, cut = (checkpoint.load(place / run / "checkpoints" / name) for run in ("one", "run"))
        assert all(torch.equal(tensor, cut["state_dict"][key]) for key, tensor in one["state_dict"].items())
        kept = [found["optimizer_states"][0]["state"] for found in (one, cut)]
        assert kept[0].keys() == kept[1].keys()
        for number, row in kept[0].items():
            assert all(torch.equal(torch.as_tensor(v), torch.as_tensor(kept[1][number][k])) for k, v in row.items())
    code, out, err = inside(generate.main, place, "checkpoint=run", "prompt=On day", "max_tokens=4")
    assert (code, err, out[:6]) == (0, "", "On day")
    assert inside(evaluate.main, place, "checkpoint=run")[0] == 0
    assert inside(export.main, place, "checkpoint=run", "to=out.safetensors")[0] == 0
    # Stopped by a signal to one of them, and gone on with by as many.
    stopped = ended(begun(place, "lab.train", *SAME, *IN_SHARDS, tied, *sends(1, 5, "SIGTERM"), "hydra.run.dir=two"))
    assert stopped.code == 128 + signal.SIGTERM, stopped.err
    here(place, "resume=auto", "hydra.run.dir=two", "parts=mine.py", "callbacks=none")
    first, second = (checkpoint.load(place / run / "checkpoints/last.ckpt")["state_dict"] for run in ("run", "two"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    again = ("resume=run/checkpoints/step-00000008.ckpt", "parts=mine.py")
    alone = ("trainer.devices=1", "trainer.strategy=auto", "hydra.run.dir=alone")
    here(place, *again, *ALONE, *alone)
    assert_same_curve(place / "run", place / "alone", norm=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_kill_between_the_shards_and_their_list_leaves_the_checkpoint_before(tmp_path: Path, rank: int) -> None:
    place = folder(tmp_path)
    (place / "dies.py").write_text(_DIES)
    words = ("+callbacks.dies._target_=dies.py:Dies", f"+callbacks.dies.rank={rank}", "+callbacks.dies.step=8")
    done = ended(begun(place, "lab.train", *SAME, *IN_SHARDS, *words))
    assert done.code != 0
    found, step = checkpoint.find_and_load("run", place)
    assert (found.name, step["global_step"]) == ("last.ckpt", 4)
    here(place, "resume=auto", "parts=mine.py", "hydra.run.dir=run", "callbacks=none")
    here(place, *SAME, *IN_SHARDS, "hydra.run.dir=whole")
    ends = [checkpoint.load(place / run / "checkpoints/last.ckpt")["state_dict"] for run in ("run", "whole")]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert len(list((place / "run/checkpoints").glob("shards-*"))) <= 3  # nothing of the killed one is left
