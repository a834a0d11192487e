"""When checkpoints are written, and how Lightning's loops find their place again."""

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from lab.errors import Followed, LabError
from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.runs import checkpoint as files
from lab.runs import newest, shards
from lab.runs.checkpoint_schema import CheckpointDict
from lab.runs.events import EventLog, read
from lab.system import ranks
from lab.training import agreement
from lab.training.lightning_internals import fit_loop_at


class Checkpoints(Checkpoint):
    """``best.ckpt`` by validation loss, ``last.ckpt``, and periodic ``step-00000100.ckpt`` of which ``keep`` stay.

    Lightning's own ModelCheckpoint scores a periodic checkpoint by the previous validation, leaves out the last step
    and forgets the best score when the run goes on in another folder. Here a checkpoint that falls on the step of an
    evaluation is written after it, so that whoever continues from it finds that evaluation done.

    Args:
        folder: where the files go.
        eval_every: optimizer steps between evaluations.
        save_every: optimizer steps between periodic checkpoints, or None.
        keep: how many periodic checkpoints stay.
        log: the run's event log, which is told of each checkpoint.
        go_on_if_full: warn instead of stopping when a checkpoint cannot be written.
    """

    state_key = "Checkpoints"

    def __init__(
        self,
        folder: Path,
        *,
        eval_every: int,
        save_every: int | None,
        keep: int,
        log: EventLog,
        go_on_if_full: bool = False,
    ) -> None:
        self.folder = folder
        self.eval_every = eval_every
        self.save_every = save_every
        self.keep = keep
        self.events = log  # not self.log: Lightning puts a method of its own there
        self.go_on_if_full = go_on_if_full
        self.periodic = written(log.path.parent, newest.PERIODIC)
        """The periodic checkpoints that this run has written, by its log, in their order: no others are removed."""
        self.best_val_loss = float("inf")
        self.saved_step = -1
        """The step that last.ckpt holds."""

    def state_dict(self) -> dict[str, Any]:
        return {"best_val_loss": self.best_val_loss}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_val_loss = float(state_dict["best_val_loss"])

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.saved_step = trainer.global_step  # a continued run need not write again what it has just read

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        step = trainer.global_step
        evaluation_follows = step % self.eval_every == 0 or step == trainer.max_steps
        if self._is_periodic(step) and step != self.saved_step and not evaluation_follows:
            self.save(trainer)

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if trainer.sanity_checking:  # the evaluation before the first step
            return
        loss = float(trainer.callback_metrics["val_loss"])
        before, self.best_val_loss = self.best_val_loss, min(loss, self.best_val_loss)
        self.save(trainer)
        if self.saved_step != trainer.global_step:
            self.best_val_loss = before  # it could not be written: the file on the disk is still the best there is
        elif loss < before:
            self._link("best.ckpt", trainer.global_step)
            self._tidy()

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if trainer.global_step != self.saved_step:
            self.save(trainer)

    def save(self, trainer: L.Trainer) -> None:
        """Writes ``last.ckpt`` as of now, and the periodic one if it is time for it."""
        step = trainer.global_step
        if not self.write(trainer, self.folder / "last.ckpt"):
            return
        self.saved_step = step
        if self._is_periodic(step):
            name = f"step-{step:08d}.ckpt"
            self._link(name, step)
            self.periodic = [*(other for other in self.periodic if other != name), name]
            while len(self.periodic) > self.keep:
                oldest = self.periodic.pop(0)
                if ranks.is_first():
                    (self.folder / oldest).unlink(missing_ok=True)
                self.events.removed(step, f"{CHECKPOINTS_FOLDER}/{oldest}")
        self._tidy()

    def _tidy(self) -> None:
        """Lets go of the shards of checkpoints whose place others have taken."""
        if ranks.is_first():
            shards.tidy(self.folder)

    def write(self, trainer: L.Trainer, path: Path, weights_only: bool = False) -> bool:
        """Writes one checkpoint. Returns whether that worked, if the run is to go on without it. Of the processes of a
        run, the first writes, and all learn whether it could. ``weights_only``: without what the optimizer remembers.

        Raises:
            LabError: if there is no room, and the run is to stop then; what was saved before is intact.
        """
        disk = trainer.strategy.checkpoint_io
        assert isinstance(disk, AtomicCheckpointIO)
        with disk.holding_back(weights_only) as trouble:
            trainer.save_checkpoint(path)
        if not agreement.any_of_them(bool(trouble)):
            self._tell(path.name, trainer.global_step)
            return True
        error = trouble[0] if trouble else OSError("by the first process")
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        sentence = (
            f"the checkpoint of step {trainer.global_step} could not be written to {self.folder} ({reason}); "
            "the checkpoints written before are intact"
        )
        if not self.go_on_if_full:
            again = files.how_to_go_on(self.folder.parent)
            kind = LabError if ranks.is_first() else Followed
            raise kind(f"{sentence}: make room, then {again}") from error
        if ranks.is_first():
            print(f"warning: {sentence}, and training goes on", file=sys.stderr, flush=True)
        return False

    def _link(self, name: str, step: int) -> None:
        """Gives last.ckpt a second name."""
        if ranks.is_first():
            files.link(self.folder / "last.ckpt", self.folder / name)
        self._tell(name, step)

    def _tell(self, name: str, step: int) -> None:
        self.events.checkpoint(step, f"{CHECKPOINTS_FOLDER}/{name}")

    def _is_periodic(self, step: int) -> bool:
        return self.save_every is not None and step > 0 and step % self.save_every == 0


def written(run: Path, kind: re.Pattern[str]) -> list[str]:
    """The names of the checkpoints of a ``kind`` that the run in a folder has, by its log, oldest first."""
    found: list[str] = []
    for event in read(run):
        if event["kind"] == "checkpoint" or event["kind"] == "removed":
            name = event["path"].rpartition("/")[2]
            if kind.fullmatch(name):
                found = [other for other in found if other != name]
                found += [name] if event["kind"] == "checkpoint" else []
    return [name for name in found if (run / CHECKPOINTS_FOLDER / name).is_file()]


class AtomicCheckpointIO(CheckpointIO):
    """Lightning's way to the disk, by way of ``lab.runs.checkpoint``: atomic to write, checked to read.

    Args:
        accumulate_grad_batches: micro-batches in an optimizer step.
        earlier: the checkpoint that the run continues from, as ``lab.runs.checkpoint.load`` gave it: what was checked
            is what is taken, and a large file is read once.
    """

    def __init__(self, accumulate_grad_batches: int, earlier: CheckpointDict | None = None) -> None:
        self.accumulate_grad_batches = accumulate_grad_batches
        self.earlier = earlier
        self._held: list[Exception] | None = None
        self._weights_only = False

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        with self._trying():
            files.save(self._wanted(checkpoint), Path(path))

    def save_shards(self, checkpoint: dict[str, Any], folder: Path) -> dict[str, Any] | None:
        """Writes what this process has of the checkpoint's tensors into ``folder``; all processes have to come here.
        Returns what is left to be saved as the checkpoint; None, where that makes no sense any more."""
        with self._trying():
            rest, tensors = shards.split(self._wanted(checkpoint))
            return {**rest, shards.KEY: shards.write(tensors, folder)}
        return None

    def _wanted(self, checkpoint: dict[str, Any]) -> dict[str, Any]:
        return _without_optimizer(checkpoint) if self._weights_only else checkpoint

    @contextlib.contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError) as error:  # torch's writer has RuntimeErrors for a full disk
            if self._held is None:
                raise
            self._held.append(error)

    @contextlib.contextmanager
    def holding_back(self, weights_only: bool = False) -> Iterator[list[Exception]]:
        """Within it, what keeps a checkpoint from being written is not raised but kept, in the list that it gives: the
        other processes of a run wait for the one that writes, and have to be told. ``weights_only``: as ``write``."""
        held: list[Exception] = []
        self._held, self._weights_only = held, weights_only
        try:
            yield held
        finally:
            self._held, self._weights_only = None, False

    def load_checkpoint(self, path: Any, *_: Any, **__: Any) -> dict[str, Any]:
        earlier = files.load(Path(path)) if self.earlier is None else self.earlier
        return for_lightning(earlier, self.accumulate_grad_batches)

    def remove_checkpoint(self, path: Any) -> None:
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()


def _without_optimizer(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The checkpoint without what its optimizer remembers, and saying so: where that is nothing, before the first step
    say, it is whole as it is."""
    states = checkpoint["optimizer_states"]
    if not any(state["state"] for state in states):
        return checkpoint
    described = {**checkpoint["lab"], "weights_only": True}
    return {**checkpoint, "lab": described, "optimizer_states": [{**state, "state": {}} for state in states]}


def for_lightning(checkpoint: CheckpointDict, accumulate_grad_batches: int) -> dict[str, Any]:
    """The checkpoint as Lightning takes it up; what follows from the number of finished steps is derived from it."""
    step = checkpoint["global_step"]
    return {
        **checkpoint,
        "loops": {"fit_loop": fit_loop_at(step, accumulate_grad_batches)},
        # LambdaLR would take any attribute of itself out of it.
        "lr_schedulers": [{"last_epoch": step, "_step_count": step + 1, "lr_lambdas": [None, None]}],
        "epoch": 0,
        "pytorch-lightning_version": L.__version__,
    }


def cannot_take_up(path: Path | None, error: Exception) -> LabError:
    """What to say when a part is not taken: it is of a callback of the user's, for what is ours has been checked."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return LabError(
        f"{path}: a callback cannot take up what is there of it ({reason}); continue with the callbacks of that run, "
        "or use another checkpoint"
    )
