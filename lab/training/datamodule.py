"""Batches for Lightning."""

from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader

from lab.config.schema import DataConfig
from lab.data.loader import batch_loader
from lab.data.prepare import split
from lab.data.shuffle import Shuffle, suitable
from lab.data.windows import Batch, EvaluationWindows, SeekableSampler, Windows


class LabData(L.LightningDataModule):
    """Training batches without end from one part of the corpus, and every token of the other part for validation.

    Lightning sees a single endless epoch. Ours, a pass over the windows, is the sampler's business: so a step needs
    no second counting in Lightning's epochs, and a run can be continued at any step by telling the sampler where.

    Raises:
        LabError: if the corpus is too small for even one window of each kind.
    """

    def __init__(
        self, tokens: np.ndarray, config: DataConfig, context_length: int, seed: int, border: int | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.context_length = context_length
        self.seed = seed
        self.train_tokens, self.val_tokens = split(tokens, config, context_length, border)
        self.windows = Windows(self.train_tokens, context_length, config.stride)
        self.how = suitable(len(self.windows), config.shuffle)
        self._start = (0, 0)
        """Optimizer steps and used windows when this process began: not zero for a run that is continued."""

    @property
    def position(self) -> int:
        """Training windows used so far, in this run and those that it continues, on all devices together.

        Counted in whole optimizer steps: what the loader has prepared beyond them does not count as used.
        """
        first_step, first_window = self._start
        if self.trainer is None:
            return first_window
        windows_per_step = self.config.batch_size * self.trainer.accumulate_grad_batches * self.trainer.world_size
        return first_window + (self.trainer.global_step - first_step) * windows_per_step

    def state_dict(self) -> dict[str, Any]:
        """All there is to know for continuing: how many windows have been used, after how many steps, in what order."""
        assert self.trainer is not None
        return {"step": self.trainer.global_step, "position": self.position, "shuffle": self.how}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._start = (int(state_dict["step"]), int(state_dict["position"]))
        then = state_dict.get("shuffle", "permutation")  # which it was for any number of windows, before it was said
        if self.config.shuffle and then != "none":
            self.how = then

    def train_dataloader(self) -> DataLoader[Batch]:
        """Endless batches ``(batch_size, context_length)``, from ``position`` on."""
        replicas, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        sampler = SeekableSampler(
            len(self.windows),
            self.config.batch_size,
            order=Shuffle(len(self.windows), self.seed, self.how),
            position=self.position,
            rank=rank,
            replicas=replicas,
        )
        workers = self.config.num_workers
        return batch_loader(self.windows, workers, batch_sampler=sampler, pin_memory=self._for_gpu)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Every validation token but the first as a target, exactly once; ``(rows, seq)`` batches, the last shorter."""
        # No gradients are kept, so a larger batch fits; the result does not depend on it.
        windows = EvaluationWindows(self.val_tokens, self.context_length, 2 * self.config.batch_size)
        return batch_loader(windows, 0, batch_size=None, pin_memory=self._for_gpu)

    @property
    def _for_gpu(self) -> bool:
        """Do batches go to a GPU? From memory that the system may not move (pinned), Lightning has them copied while
        the GPU is at work on the batch before; from other memory, the copy would wait for it."""
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
