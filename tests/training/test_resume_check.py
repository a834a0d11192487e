"""Whether a checkpoint is one of the run that is to go on."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import TINY, train_here
from support.runs import OPTIONS, assert_same_run, write_tale

from lab.config import compose
from lab.config.schema import Config, check
from lab.errors import LabError
from lab.runs import checkpoint
from lab.training.resume_check import refuse_unfit, refuse_unsavable


def test_a_checkpoint_of_another_model_is_refused_with_the_differences(tmp_path: Path) -> None:
    place = tmp_path / "other"
    place.mkdir()
    assert train_here(place, *TINY, "trainer.max_steps=1", "save=true").code == 0
    done = train_here(place, *TINY, "model.n_layers=3", "trainer.max_steps=2", "resume=last")
    assert done.code == 1
    assert "model.n_layers was 2 and is 3" in done.err
    done = train_here(place, *TINY, "corpus=stdlib", "trainer.max_steps=2", "resume=last")
    assert done.code == 1
    assert "corpus was fables and is stdlib" in done.err


@pytest.mark.parametrize(
    ("words", "again"),
    [
        (("optimizer=muon", "optimizer.embedding_lr=5e-3", "trainer.precision=bf16-mixed"), ()),
        (("optimizer=adafactor",), ()),
        # A checkpoint knows nothing of groups: rates of their own, here the very same, are a matter of today's options.
        ((), ("optimizer.embedding_lr=1e-2",)),
    ],
    ids=["muon", "adafactor", "groups"],
)
def test_every_optimizer_goes_on_to_the_bit(words: tuple[str, ...], again: tuple[str, ...], tmp_path: Path) -> None:
    write_tale(tmp_path)
    options = (*OPTIONS, *words, "trainer.max_steps=6", "save_every=3", "hydra.run.dir=whole")
    assert train_here(tmp_path, *options).code == 0
    done = train_here(tmp_path, "resume=whole/checkpoints/step-00000003.ckpt", *again, "hydra.run.dir=part")
    assert done.code == 0, done.err
    assert_same_run(tmp_path / "whole", tmp_path / "part")


def _first(state: dict[int, dict[str, Any]], name: str) -> dict[str, Any]:
    return next(row for row in state.values() if name in row)


def test_what_muon_and_adafactor_remember_must_be_of_their_weights(tmp_path: Path) -> None:
    for optimizer, name, value, said in (
        ("muon", "momentum_buffer", torch.zeros(1, 32), "of no use to lab.optim.muon.MuonAdamW"),
        ("muon", "momentum_buffer", torch.full((96, 32), float("nan")), "impossible numbers"),
        ("muon", "momentum_buffer", torch.zeros(96), "has the shape (96,)"),
        ("muon", "momentum_buffer", None, "not the same of every parameter"),
        ("adafactor", "row_var", torch.zeros(1, 32), "of no use to torch.optim.Adafactor"),
        ("adafactor", "row_var", torch.zeros(3, 1), "has the shape (3, 1)"),
        ("adafactor", "row_var", torch.full((50257, 1), -1.0), "impossible numbers"),
    ):
        words = (*TINY, f"optimizer={optimizer}", "trainer.max_steps=1")
        path = tmp_path / optimizer / "checkpoints" / "last.ckpt"
        if not path.exists():
            assert train_here(tmp_path, *words, "save=true", f"hydra.run.dir={optimizer}").code == 0
        config = check(compose.compose_config(words))
        refuse_unfit(checkpoint.load(path), config, "cpu", path)  # the one that nobody has changed
        found = torch.load(path, weights_only=True)
        row = _first(found["optimizer_states"][0]["state"], name)
        if value is None:
            row["exp_avg"] = row.pop(name)
        else:
            row[name] = value
        del found["lab"]["checksum"]
        found["lab"]["format"] = 1  # which has none
        odd = tmp_path / "odd.ckpt"
        torch.save(found, odd)

        def open_it(odd: Path = odd, config: Config = config) -> None:
            refuse_unfit(checkpoint.load(odd), config, "cpu", odd)

        with pytest.raises(LabError, match=re.escape(said)):
            open_it()


def test_an_optimizer_whose_memory_cannot_be_saved_is_told_before_it_trains(tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text(
        "import torch\nclass Odd(torch.optim.SGD):\n"
        "    def __init__(self, params, lr):\n        super().__init__(params, lr)\n"
        "    def step(self, closure=None):\n        loss = super().step(closure)\n"
        "        for group in self.param_groups:\n            for p in group['params']:\n"
        "                self.state[p]['factor'] = torch.zeros(p.shape[0], p.shape[0])\n        return loss\n"
    )
    words = (*TINY, "optimizer._target_=idea.py:Odd", "trainer.max_steps=1")
    done = train_here(tmp_path, *words, "save=true")
    assert done.code == 1
    assert "idea.py:Odd cannot be saved: what it remembers.factor has the shape" in done.err
    assert not (tmp_path / "outputs").exists()
    config = check(compose.compose_config(["optimizer._target_=torch.optim.SparseAdam"]))
    with pytest.raises(LabError, match=r"optimizer: torch\.optim\.SparseAdam takes no step \(RuntimeError: "):
        refuse_unsavable(config, "cpu")
