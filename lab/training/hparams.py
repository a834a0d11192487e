"""A run as a row in TensorBoard's HPARAMS tab: its options beside what came of them."""

import time
from typing import Any

import lightning as L
from lightning.pytorch.loggers import TensorBoardLogger

from lab.config.changed_options import flat
from lab.config.schema import Config
from lab.errors import Interrupted
from lab.training.callbacks import Record

FIGURES = ("val_loss", "best_val_loss", "val_perplexity", "val_bits_per_byte", "train_loss", "tokens_per_second")
"""The columns with figures: curves, of which the tab shows the last point."""


class Hparams(L.Callback):
    """Tells TensorBoard when the run begins and ends, with every option under the name by which it is typed.

    Lightning's own ``log_hyperparams`` writes such a row only together with figures, which a run has at its end; and
    the tab has no place for options within options, for lists, or for None.
    """

    def __init__(self, config: Config, record: Record) -> None:
        self.options = {
            name: value if isinstance(value, int | float) and not isinstance(value, bool) else _word(value)
            for name, value in flat(config).items()
            if not name.startswith("logger.")
        }
        self.record = record
        self._begun = False

    def on_fit_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        from torch.utils.tensorboard.summary import hparams

        columns, row, _ = hparams(self.options, dict.fromkeys(FIGURES, 0.0))
        self._write(trainer, columns, row)
        self._begun = True

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._end(trainer, "STATUS_SUCCESS")

    def on_exception(self, trainer: L.Trainer, module: L.LightningModule, exception: BaseException) -> None:
        self._end(trainer, "STATUS_UNKNOWN" if isinstance(exception, Interrupted) else "STATUS_FAILURE")

    def _end(self, trainer: L.Trainer, status: str) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import metadata
        from tensorboard.plugins.hparams.api_pb2 import Status
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

        if not self._begun:
            return
        self._begun = False
        if self.record.val:
            for writer in self._writers(trainer):
                writer.add_scalar("best_val_loss", self.record.best["val_loss"], trainer.global_step)
        ended = SessionEndInfo(status=Status.Value(status), end_time_secs=time.time())
        about = metadata.create_summary_metadata(HParamsPluginData(session_end_info=ended))
        self._write(trainer, Summary(value=[Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about)]))

    def _write(self, trainer: L.Trainer, *summaries: Any) -> None:
        for writer in self._writers(trainer):
            for summary in summaries:
                writer.file_writer.add_summary(summary)
            writer.flush()

    def _writers(self, trainer: L.Trainer) -> list[Any]:
        found = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        return [logger.experiment for logger in found] if trainer.is_global_zero else []


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
