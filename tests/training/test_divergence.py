"""A gradient that is not finite never reaches the weights, whether it is looked at in each step or later."""

from pathlib import Path

import pytest
import torch
from support.commands import TINY, train_here
from torch import nn
from torch.optim import SGD, AdamW

from lab.errors import LabError
from lab.training.divergence import Divergence, leaves_out_steps


def test_from_the_first_bad_step_on_nothing_changes_until_somebody_looks() -> None:
    """As on a GPU: nothing is read in between."""
    weights = nn.Parameter(torch.ones(4))
    optimizer = AdamW([weights], lr=0.1, fused=True)
    watch = Divergence()
    kept = []
    for step, gradient in enumerate((1.0, 2.0, float("inf"), 1.0, float("nan")), start=1):
        weights.grad = torch.full((4,), gradient)
        norm = nn.utils.clip_grad_norm_([weights], 1.0)
        watch.defer(norm, step, optimizer)
        optimizer.step()
        kept.append((weights.detach().clone(), {k: v.clone() for k, v in optimizer.state[weights].items()}))
        if step == 2:
            watch.stop()
    assert not torch.equal(kept[0][0], kept[1][0])
    for later, state in kept[2:]:
        assert torch.equal(later, kept[1][0])
        assert all(torch.equal(state[name], value) for name, value in kept[1][1].items())
    with pytest.raises(LabError, match="the gradient became inf at step 3"):
        watch.stop()


def test_an_optimizer_that_cannot_leave_out_a_step_is_looked_after_at_once() -> None:
    weights = nn.Parameter(torch.ones(4))
    assert leaves_out_steps(AdamW([weights], fused=True))
    assert not leaves_out_steps(AdamW([weights], fused=False))
    assert not leaves_out_steps(torch.optim.Adafactor([weights]))
    Divergence().judge(torch.tensor(1.0), 1, SGD([weights]))
    with pytest.raises(LabError, match="the gradient became nan at step 2"):
        Divergence().judge(torch.tensor(float("nan")), 2, SGD([weights]))


@pytest.mark.parametrize("options", [("log_every=9", "eval_every=40"), ("log_every=40", "eval_every=7")])
def test_a_run_that_looks_seldom_ends_with_the_same_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Before the next point is written, or the next evaluation begins, whichever is first."""
    words = (*TINY, "optimizer.lr=1e38", "schedule.warmup_steps=0", "trainer.max_steps=40", "tokenizer=bytes", *options)
    at_once = train_here(tmp_path, *words, "hydra.run.dir=at_once")
    assert "the gradient became nan at step 2." in at_once.err
    monkeypatch.setattr(Divergence, "judge", Divergence.defer)
    later = train_here(tmp_path, *words, "hydra.run.dir=later")
    assert (later.code, later.err) == (at_once.code, at_once.err)
    assert later.code == 1
