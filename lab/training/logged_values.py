"""Where a value goes that a callback or a module of the user's own logs with ``self.log``."""

from typing import Any

from lightning.pytorch.trainer.connectors.logger_connector import _LoggerConnector


class Points(_LoggerConnector):
    """Lightning's way from ``self.log`` to the loggers, at the lab's step numbers.

    Lightning counts the step in progress from 0 and adds an ``epoch`` of its own, which stays 0 in our one endless
    epoch and would write over the passes over the text. A point of ours at step 100 is that after 100 updates.
    """

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        if step is None and "step" not in metrics:
            step = self.trainer.global_step
        super().log_metrics(metrics, step)
