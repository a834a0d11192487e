"""Which checkpoints a run keeps."""

from pathlib import Path

import torch
from support.commands import Finished, tiny


def test_only_the_asked_for_checkpoints_are_there(kept: Finished) -> None:
    names = sorted(path.name for path in (kept.run / "checkpoints").iterdir())
    assert names == ["best.ckpt", "last.ckpt", "step-00000004.ckpt", "step-00000006.ckpt", "weights-00000000.ckpt"]
    last = torch.load(kept.run / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 7
    assert last["lab"]["config"]["model"]["emb_dim"] == 32


def test_nothing_is_kept_unless_asked_for(tmp_path: Path) -> None:
    done = tiny(tmp_path, "trainer.max_steps=2")
    assert not list(tmp_path.rglob("*.ckpt"))
    assert "save=true" in done.out
    assert "nothing" in done.out
