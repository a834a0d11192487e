"""The weights of some moments, spread evenly over a run from step 0 on: what one looks back at, to see it learn.

With AdamW they take a third of what whole checkpoints do, and nobody goes on from them. A run that is prolonged makes
the distance between them twice as large, or more, and lets go of those between.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import lightning as L

from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.runs import newest, shards
from lab.runs.events import EventLog
from lab.system import ranks
from lab.training import agreement
from lab.training.checkpointing import Checkpoints, written
from lab.training.disk_estimate import spacing


class Snapshots(L.Callback):
    """Writes ``weights-00000000.ckpt`` and so on.

    Args:
        checkpoints: what writes.
        most: how many there are to be; the last step's weights are in ``last.ckpt``, and not among them.
        total_steps: optimizer steps of the whole run.
        log: the run's event log, which is told of each.
        earlier: the folder of the run that this one goes on from, if any: what that has kept is given a second name.
    """

    def __init__(
        self, checkpoints: Checkpoints, most: int, *, total_steps: int, log: EventLog, earlier: Path | None = None
    ) -> None:
        self.checkpoints = checkpoints
        self.most = most
        self.total_steps = total_steps
        self.events = log
        self.earlier = earlier
        self.every = total_steps
        self.step = 0

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.step = trainer.global_step
        there = self._kept() if ranks.is_first() else []  # of the others, nobody looks at the disk
        self._drop(step for step in there if step > self.step)  # of a branch that is given up, or made once more
        kept = [step for step in there if step <= self.step]
        (self.every,) = agreement.largest([spacing(self.most, self.total_steps, kept)])
        if self.most > 1:
            self._drop(step for step in kept if step % self.every)
        (is_there,) = agreement.largest([int(self.step in kept)])
        if not is_there:
            self._write_if_due(trainer)

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: object) -> None:
        if trainer.global_step != self.step:  # not in the middle of an accumulation
            self.step = trainer.global_step
            self._write_if_due(trainer)

    def _write_if_due(self, trainer: L.Trainer) -> None:
        if self.step % self.every == 0 and self.step < self.total_steps:
            self.checkpoints.write(trainer, self.checkpoints.folder / _name(self.step), weights_only=True)

    def _kept(self) -> list[int]:
        """The steps of those that are there, with those of the earlier run that can be had for nothing."""
        folder = self.checkpoints.folder
        if self.earlier is not None and self.earlier != folder.parent.resolve():
            for name in written(self.earlier, newest.SNAPSHOT):
                if _step(name) <= self.step and _linked(self.earlier / CHECKPOINTS_FOLDER / name, folder / name):
                    self.events.checkpoint(_step(name), f"{CHECKPOINTS_FOLDER}/{name}")
        return sorted(map(_step, written(folder.parent, newest.SNAPSHOT)))

    def _drop(self, steps: Iterable[int]) -> None:
        for step in steps:
            (self.checkpoints.folder / _name(step)).unlink(missing_ok=True)
            self.events.removed(step, f"{CHECKPOINTS_FOLDER}/{_name(step)}")


def _name(step: int) -> str:
    return f"weights-{step:08d}.ckpt"


def _step(name: str) -> int:
    found = newest.SNAPSHOT.fullmatch(name)
    assert found is not None
    return int(found[1])


def _linked(source: Path, target: Path) -> bool:
    """Gives the file a second name; not where that would take room: on another disk, say."""
    with contextlib.suppress(OSError):
        target.parent.mkdir(exist_ok=True)
        # One in shards would be torn from them.
        if not source.is_symlink() and not shards.n_bytes(source.parent, _step(source.name)):
            os.link(source, target)
            return True
    return False
