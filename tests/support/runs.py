"""Runs to compare, and a text for them."""

from pathlib import Path

import torch
from support.commands import TINY, scalars

from lab.runs import events

STEPS = 12


OPTIONS = (
    *TINY,
    "corpus=text",
    "corpus.path=tale.txt",
    "model.drop_rate=0.2",
    "data.batch_size=3",
    "trainer.accumulate_grad_batches=2",
    f"trainer.max_steps={STEPS}",
    "eval_every=4",
    "log_every=1",
    "optimizer.lr=1e-2",
    "save=true",
)


def write_tale(folder: Path) -> None:
    """25 training windows of 16 tokens: with 6 windows a step, an epoch ends in the middle of steps 5 and 9."""
    (folder / "tale.txt").write_text("".join(f"On day {i} the fox came to the mill.\n" for i in range(42)))


def weights(run: Path, name: str = "last.ckpt") -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / name, weights_only=True)["state_dict"]


def assert_same_run(one: Path, other: Path) -> None:
    """Weights, curves and logs of two run folders are equal, bit for bit."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    timeless = ["train_loss", "train_perplexity", "grad_norm", "learning_rate", "tokens_seen", "epoch"]
    timeless += ["val_loss", "val_perplexity", "val_bits_per_byte"]
    curves = scalars(one), scalars(other)
    for tag in timeless:
        assert curves[0][tag] == curves[1][tag], tag

    def told(run: Path) -> list[tuple[object, ...]]:
        found = [e for e in events.read(run) if e["kind"] in ("metrics", "sample")]
        return [(e["kind"], e["step"], e.get("train_loss"), e.get("val_loss"), e.get("text")) for e in found]

    assert told(one) == told(other)  # no gap, no double, the same order
    numbers = [event["seq"] for event in events.read(other)]
    assert numbers == sorted(set(numbers))
