"""How far a training has come, where nobody has typed a command: a bar in a notebook, a line in a terminal."""

import html
import sys
import time
from typing import Any

import lightning as L

from lab.terminal import duration
from lab.training.module import GPTModule

_SECONDS_BETWEEN = 0.2


class NotebookBar(L.Callback):
    """A bar with the losses and the time left. It stays when the training ends, and nothing else is printed; where
    there is neither a notebook nor a terminal, nothing at all."""

    def __init__(self) -> None:
        self._shown: Any = None
        """The place on the notebook's page; None elsewhere."""
        self._in_terminal = sys.stderr.isatty()
        self._began = self._last = 0.0
        self._first_step = 0
        self._val_loss: float | None = None

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._began, self._first_step = time.monotonic(), trainer.global_step
        display = _notebooks_display()
        if display is not None:
            self._shown = display(*self._told(trainer, module), raw=True, display_id=True)

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        if time.monotonic() - self._last > _SECONDS_BETWEEN:
            self._show(trainer, module)

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._val_loss = float(trainer.callback_metrics["val_loss"])

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._show(trainer, module)
        if self._shown is None and self._in_terminal:
            print(file=sys.stderr)

    def _show(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._last = time.monotonic()
        if self._shown is not None:
            self._shown.update(*self._told(trainer, module), raw=True)
        elif self._in_terminal:
            print(f"\r{self._line(trainer, module)}\x1b[K", end="", file=sys.stderr, flush=True)

    def _told(self, trainer: L.Trainer, module: L.LightningModule) -> list[dict[str, str]]:
        line = self._line(trainer, module)
        bar = f'<progress value="{trainer.global_step}" max="{trainer.max_steps}"></progress>'
        return [{"text/html": f"{bar} {html.escape(line)}", "text/plain": line}]

    def _line(self, trainer: L.Trainer, module: L.LightningModule) -> str:
        assert isinstance(module, GPTModule)
        step, total = trainer.global_step, trainer.max_steps
        words = [f"step {step}/{total}"]
        words += [f"loss {module.train_loss:.3f}"] if module.train_loss is not None else []
        words += [f"val {self._val_loss:.3f}"] if self._val_loss is not None else []
        if self._first_step < step < total:
            left = (time.monotonic() - self._began) / (step - self._first_step) * (total - step)
            words.append(f"{duration(left)} left")
        return "  ".join(words)


def _notebooks_display() -> Any:
    """IPython's ``display`` within a notebook; None elsewhere, also in IPython's own terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display
