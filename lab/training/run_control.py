"""How a run obeys: signals and commands are acted on between two steps, never within one.

Several processes of a run act on them at the same step: between two steps they tell each other what they have received,
in one small message.
"""

import time
from pathlib import Path
from typing import Any

import lightning as L

from lab.errors import Interrupted
from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.runs import command_files
from lab.runs.events import EventLog
from lab.runs.state import Progress, State, write_state
from lab.system import ranks
from lab.system.signals import Signals, interruption
from lab.training import agreement
from lab.training.callbacks import Record
from lab.training.checkpointing import Checkpoints
from lab.training.lightning_internals import evaluate_between_steps
from lab.training.module import GPTModule

_POLL_SECONDS = 0.2
_HEARTBEAT_SECONDS = 1.0


class RunControl(L.Callback):
    """Keeps ``state.json`` up to date and does what signals and command files say.

    Args:
        folder: the run's folder.
        total_steps: optimizer steps of the whole run.
        eval_every: optimizer steps between evaluations.
        signals: where Ctrl-C, SIGTERM and their like arrive.
        log: the run's event log.
        record: knows which step was evaluated last.
        checkpoints: what saves, if saving is on.
    """

    def __init__(
        self,
        folder: Path,
        *,
        total_steps: int,
        eval_every: int,
        signals: Signals,
        log: EventLog,
        record: Record,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.folder = folder
        self.total_steps = total_steps
        self.eval_every = eval_every
        self.signals = signals
        self.events = log
        self.record = record
        self.checkpoints = checkpoints
        self.step = 0
        self._rate: float | None = None
        self._beat = 0.0

    def on_sanity_check_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.signals.install()  # Lightning's handler would send the others a message in the middle of another one

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.signals.install()
        self.signals.graceful = True
        self.step = trainer.global_step
        self.set_state("running", self.step)
        # A run that was stopped between a step and the evaluation that was due at it owes that evaluation.
        if self.step and self.step % self.eval_every == 0 and self.record.val_step != self.step:
            evaluate_between_steps(trainer)

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        if trainer.global_step == self.step:  # in the middle of an accumulation
            return
        self.step = trainer.global_step
        assert isinstance(module, GPTModule)
        self._rate = module.rate
        if time.monotonic() - self._beat > _HEARTBEAT_SECONDS:
            self.set_state("running", self.step, quiet=True)
        self._obey(trainer, module)

    def on_validation_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        # An evaluation may take minutes, a scheduler's patience seconds. Whoever continues evaluates again.
        if not trainer.sanity_checking:
            (number,) = agreement.largest([self.signals.received or 0])
            if number:
                self._stop(trainer, interruption(number))

    def set_state(self, state: State, step: int, quiet: bool = False, reason: str | None = None) -> None:
        """Writes ``state.json``, and an event unless it is only the heartbeat."""
        self._beat = time.monotonic()
        told: Progress = {"step": step, "total_steps": self.total_steps, "tokens_per_second": self._rate}
        if reason is not None:
            told["reason"] = reason
        write_state(self.folder, state, **told)
        if not quiet:
            self.events.state(step, state, reason)

    def _obey(self, trainer: L.Trainer, module: GPTModule) -> None:
        """Acts on a signal or on the commands that have come in; holds here while the run is paused."""
        paused_since: float | None = None
        while True:
            number, told, files = self._decided()
            if number:
                self._stop(trainer, interruption(number))
            for command in told:
                if command == "pause" and paused_since is None:
                    paused_since = time.monotonic()
                    self.set_state("paused", self.step)
                elif command == "resume" and paused_since is not None:
                    module.skip_time(time.monotonic() - paused_since)
                    paused_since = None
                    self.set_state("running", self.step)
                elif command == "save":
                    self._save(trainer)
                elif command == "evaluate" and self.record.val_step != self.step:
                    evaluate_between_steps(trainer)
                for file in files[:1]:  # only now: whoever waits for it to vanish finds it obeyed
                    file.unlink(missing_ok=True)
                del files[:1]
                if command == "stop":
                    self._stop(trainer, Interrupted("told to stop", 0))
            if paused_since is None:
                return
            if time.monotonic() - self._beat > _HEARTBEAT_SECONDS:
                self.set_state("paused", self.step, quiet=True)
            time.sleep(_POLL_SECONDS)

    def _decided(self) -> tuple[int, list[str], list[Path]]:
        """What all processes of the run do now: the number of a signal that any of them has received, or 0, and the
        commands that the first has found, which alone knows their files."""
        received = self.signals.received or 0  # before the commands: what comes from here on is for the next step
        found = command_files.commands(self.folder)[: command_files.MOST] if ranks.is_first() else []
        number, code = agreement.largest([received, command_files.encoded([command for command, _ in found])])
        return number, command_files.decoded(code), [file for _, file in found]

    def _stop(self, trainer: L.Trainer, interruption: Interrupted) -> None:
        self.set_state("stopping", trainer.global_step, reason=interruption.reason)
        if self.checkpoints is not None and self.checkpoints.saved_step != trainer.global_step:
            self.checkpoints.save(trainer)
        raise interruption

    def _save(self, trainer: L.Trainer) -> None:
        """A checkpoint because somebody asked for one: under a name of its own, which no retention removes."""
        path = self.folder / CHECKPOINTS_FOLDER / f"saved-{self.step:08d}.ckpt"
        keeper = self.checkpoints or Checkpoints(path.parent, eval_every=1, save_every=None, keep=1, log=self.events)
        keeper.write(trainer, path)
