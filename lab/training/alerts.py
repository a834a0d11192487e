"""Tells what a run is alarming for: in the log, in the terminal, to TensorBoard. What is alarming, ``lab.alerts``
knows."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import lightning as L
from lightning.pytorch.loggers import Logger

from lab.alerts.alert import Alert, Setting
from lab.alerts.watch import Watch
from lab.errors import LabError
from lab.optim import usual_rates
from lab.runs import events
from lab.runs.events import Event, EventLog
from lab.runs.yardsticks import Yardsticks
from lab.training.callbacks import write_alert
from lab.training.preparation import Preparation


class Alerts(L.Callback):
    """Looks at the figures that go into the log, at no other time and at nothing else: what they cost was paid.

    Args:
        log: of the run.
        watch: has seen nothing yet.
        loggers: of the options; those that take text are told, too.
        prints: whether the terminal is.
    """

    state_key = "Alerts"  # which checkpoints of earlier versions have; there is no state any more

    def __init__(self, log: EventLog, watch: Watch, loggers: Iterable[Logger], prints: bool) -> None:
        self.events = log  # not self.log: Lightning puts a method of its own there
        self.watch = watch
        self.loggers = list(loggers)
        self.prints = prints

    def see(self, step: int, figures: Mapping[str, float]) -> None:
        """Takes figures that were written at ``step``, and tells what is new."""
        for alert in self.watch.see(step, figures):
            self._tell(step, alert)

    def catch_up(self, step: int, carried: Iterable[Event]) -> None:
        """Takes the log of the earlier part of a run that goes on after ``step``. What is in its figures and was not
        told, by a process that was killed or that knew less, is told now."""
        found, told = [], set()
        for event in carried:
            if event["kind"] == "metrics":
                found += self.watch.see(event["step"], events.figures(event))
            elif event["kind"] == "alert":
                told.add((event["what"], event.get("since", event["step"])))
        for alert in found:
            if (alert.what, alert.since) not in told:
                self._tell(step, alert)

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if trainer.is_global_zero:
            for alert in self.watch.end():
                self._tell(trainer.global_step, alert)

    def on_exception(self, trainer: L.Trainer, module: L.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, LabError):
            self.events.alert(trainer.global_step, "failed", str(exception))

    def _tell(self, step: int, alert: Alert) -> None:
        self.events.alert(step, **asdict(alert))
        write_alert(self.loggers, asdict(alert), step)
        if self.prints:
            print(f"alert: since step {alert.since:,}, {alert.message}\n    {alert.advice}", flush=True)


def setting(run: Preparation, levels: Yardsticks) -> Setting:
    """What is known of a prepared run before its first figure."""
    config, plan = run.config, run.plan
    return Setting(
        vocab_size=config.model.vocab_size,
        tokens_per_step=plan.tokens_per_step,
        windows_per_step=plan.windows_per_step,
        warmup_steps=plan.warmup_steps,
        lr=config.optimizer.lr,
        clip=config.trainer.gradient_clip_val,
        by_heart=plan.n_windows <= plan.windows_per_step,
        yardstick=levels.unigram_train_loss,
        rates=usual_rates.of(config.optimizer, config.model.emb_dim),
    )
