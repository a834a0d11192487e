"""Runs of several processes, and the same run of one."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import ROOT, Finished, train_here
from support.runs import OPTIONS, write_tale

from lab.runs import events

SAME = (*OPTIONS, "data.val_fraction=0.3", "+metrics.hit=mine.py:hit", "save_every=4", "hydra.run.dir=run")
"""Six windows a step, of one process in two micro-batches or of two in one; three evaluation batches, of which two
processes get unequal shares."""
ALONE = ("trainer.accumulate_grad_batches=2",)
TWO = ("trainer.accumulate_grad_batches=1", "trainer.devices=2")

_MINE = '''
import os, signal
import lightning as L


def hit(logits, targets):
    return (logits.argmax(-1) == targets).float().mean()


class Send(L.Callback):
    """Sends a signal to the process of a rank at the end of a step."""

    def __init__(self, rank, step, name):
        self.rank, self.step, self.name = rank, step, name

    def on_train_batch_end(self, trainer, module, *_):
        if trainer.global_rank == self.rank and trainer.global_step == self.step:
            os.kill(os.getpid(), getattr(signal, self.name))
'''

NAMES = ("train_loss", "val_loss", "val_bits_per_byte", "val_hit", "grad_norm", "learning_rate", "tokens_seen", "epoch")


def sends(rank: int, step: int, name: str) -> list[str]:
    """Words for a run in which the process ``rank`` gets a signal at ``step``."""
    told = {"_target_": "mine.py:Send", "rank": rank, "step": step, "name": name}
    return [f"+callbacks.send.{key}={value}" for key, value in told.items()]


def folder(place: Path) -> Path:
    """``place`` with the text and the code that ``SAME`` names."""
    place.mkdir(parents=True, exist_ok=True)
    write_tale(place)
    (place / "mine.py").write_text(_MINE)
    return place


@contextlib.contextmanager
def found() -> Iterator[None]:
    """Within it, processes that a run starts from here find the lab."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


def here(place: Path, *words: str) -> Finished:
    """A run that must succeed; its first process is this one."""
    with found():
        done = train_here(place, *words)
    assert done.code == 0, done.out + done.err
    return done


def begun(place: Path, *words: str, **variables: str) -> "subprocess.Popen[str]":
    """A training in a process of its own, from ``words`` behind the interpreter; with these variables."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-m", *words], cwd=place, env=environment, text=True, **pipes)  # type: ignore[call-overload, no-any-return]


def ended(process: "subprocess.Popen[str]") -> Finished:
    """What became of it. The limit catches what hangs: the pipes are open as long as any of its processes lives."""
    out, err = process.communicate(timeout=400)
    return Finished(process.returncode, out, err, Path())


def curve(run: Path) -> dict[tuple[int, str], float]:
    """The figures of a run that must not depend on how many processes it had, by step and name."""
    told = [event for event in events.read(run) if event["kind"] == "metrics"]
    return {
        (event["step"], name): value for event in told for name, value in events.figures(event).items() if name in NAMES
    }


def assert_one_run(run: Path) -> None:
    """One log without doubles, one curve of each kind, and a state that says how it ended."""
    told = list(events.read(run))
    assert [event["seq"] for event in told] == sorted({event["seq"] for event in told})
    points = [(event["step"], name) for event in told if event["kind"] == "metrics" for name in events.figures(event)]
    assert len(points) == len(set(points))
    saved = [(event["step"], event["path"]) for event in told if event["kind"] == "checkpoint"]
    assert len(saved) == len(set(saved))
    assert len(list((run / "tensorboard").glob("events.*"))) == 1


def assert_same_curve(one: Path, other: Path, norm: float = 1e-5) -> None:
    """Equal to 1e-5 (lengths of gradients to ``norm``), and at the same steps."""
    first, second = curve(one), curve(other)
    assert first.keys() == second.keys()
    assert {name for _, name in first} == set(NAMES)
    for key, value in first.items():
        within = norm if key[1] == "grad_norm" else 1e-5
        assert second[key] == pytest.approx(value, abs=within, rel=within), key
