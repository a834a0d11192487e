"""What a run does beside training: it writes samples and keeps its record."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

import lightning as L
import numpy as np
from lightning.pytorch import callbacks
from lightning.pytorch.loggers import Logger, TensorBoardLogger

from lab.config.schema import SampleConfig
from lab.inference.sampling import Sampling, generate
from lab.tokenizers.contract import TextTokenizer
from lab.training.compilation import uncompiled
from lab.training.event_logger import EventLogger
from lab.training.module import GPTModule


class Samples(L.Callback):
    """At each evaluation, continues a fixed prompt: the loss as a person can read it.

    The text goes to the run's event log and to TensorBoard. The random numbers are the sample's own and follow from
    the seed and the step: one unlucky draw does not come back at each evaluation, and a continued run draws the same.

    Args:
        config: the prompt, how far to go on, how each token is drawn.
        tokenizer: what the tokens mean.
        seed: of the run.
    """

    def __init__(self, config: SampleConfig, tokenizer: TextTokenizer, seed: int) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.seed = seed
        self.latest: str | None = None

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if not trainer.is_global_zero and not module.is_shared_out:
            return
        assert isinstance(module, GPTModule)
        with uncompiled(module.model):
            (token_ids,) = generate(
                module.model,
                [self.tokenizer.encode(self.config.prompt)],
                self.config.max_tokens,
                Sampling(self.config.temperature, self.config.top_k),
                seed=int(np.random.SeedSequence([self.seed, trainer.global_step]).generate_state(1)[0]),
                among=module.occurring(),
            )
        self.latest = self.tokenizer.decode(token_ids)
        write_sample(trainer.loggers, self.latest, trainer.global_step)


def write_sample(loggers: list[Logger], text: str, step: int) -> None:
    """Sends a sample text to the loggers that have a place for one."""
    for logger in loggers:
        if isinstance(logger, EventLogger):
            logger.log.sample(step, text)
        if isinstance(logger, TensorBoardLogger):
            # TensorBoard shows Markdown; indented by four blanks, the text is shown as it is.
            logger.experiment.add_text("sample", "\n".join(f"    {line}" for line in text.splitlines()), step)


def write_alert(loggers: Iterable[Logger], alert: Mapping[str, Any], step: int) -> None:
    """Sends an alert, by the names that its event has, to the loggers that have a place for a text."""
    said = [f"since step {alert.get('since', step)}: {alert['message']}", alert.get("advice", "")]
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_text("alert", "\n".join(f"    {line}" for line in said if line), step)


class Record(L.Callback):
    """Remembers what ``results.json`` tells: the latest and the best validation, and how long it took.

    Its state travels in checkpoints, so that a continued run knows the best of all its parts.
    """

    state_key = "Record"
    """Its place in a checkpoint, whatever the class may be called one day."""

    def __init__(self) -> None:
        self.val: dict[str, float] = {}
        """The latest validation: val_loss, val_perplexity, val_bits_per_byte."""
        self.best: dict[str, float] = {"val_loss": math.inf}
        self.best_step = 0
        self.val_step = -1
        """The step that was evaluated last."""
        self._earlier_seconds = 0.0
        self._began = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        steps = {"best_step": self.best_step, "val_step": self.val_step}
        return {"val": self.val, "best": self.best, "seconds": self.total_seconds, **steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.val, self.best = dict(state_dict["val"]), dict(state_dict["best"])
        self.best_step, self.val_step = int(state_dict["best_step"]), int(state_dict["val_step"])
        self._earlier_seconds = float(state_dict["seconds"])

    @property
    def total_seconds(self) -> float:
        """Seconds of the whole run up to now, evaluations and earlier parts included."""
        return self._earlier_seconds + time.monotonic() - self._began

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        names = ("val_loss", "val_perplexity", "val_bits_per_byte")
        self.val = {name: float(trainer.callback_metrics[name]) for name in names}
        self.val_step = trainer.global_step
        if self.val["val_loss"] < self.best["val_loss"]:
            self.best, self.best_step = self.val, trainer.global_step


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's, with the patience that the options say; the original takes that of the checkpoint."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})
