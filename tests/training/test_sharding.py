"""Weights shared out between two processes: the same losses, and checkpoints as of any other run."""

from pathlib import Path

import pytest
import torch
from support.commands import inside
from support.runs import weights
from support.several import ALONE, SAME, TWO, assert_one_run, assert_same_curve, folder, here

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
