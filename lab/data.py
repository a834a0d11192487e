"""Batches for Lightning, and a plain loader for notebooks."""

from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader

from lab import corpus, tokenfile
from lab.config import DataConfig
from lab.corpus import Document
from lab.errors import LabError
from lab.text import find_corpus, split, tokenized_corpus
from lab.tokenizer import Tokenizer
from lab.windows import Batch, EvaluationWindows, SeekableSampler, Windows

__all__ = ["LabData", "find_corpus", "get_dataloader", "split", "tokenized_corpus"]


class LabData(L.LightningDataModule):
    """Training batches without end from one part of the corpus, and every token of the other part for validation.

    Lightning sees a single endless epoch. Ours, a pass over the windows, is the sampler's business: so a step needs
    no second counting in Lightning's epochs, and a run can be continued at any step by telling the sampler where.

    Raises:
        LabError: if the corpus is too small for even one window of each kind.
    """

    def __init__(self, tokens: np.ndarray, config: DataConfig, context_length: int, seed: int) -> None:
        super().__init__()
        self.config = config
        self.context_length = context_length
        self.seed = seed
        self.train_tokens, self.val_tokens = split(tokens, config, context_length)
        self.windows = Windows(self.train_tokens, context_length, config.stride)
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
        """All there is to know for continuing: how many windows have been used, after how many steps."""
        assert self.trainer is not None
        return {"step": self.trainer.global_step, "position": self.position}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._start = (int(state_dict["step"]), int(state_dict["position"]))

    def train_dataloader(self) -> DataLoader[Batch]:
        """Endless batches ``(batch_size, context_length)``, from ``position`` on."""
        replicas, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        sampler = SeekableSampler(
            len(self.windows),
            self.config.batch_size,
            seed=self.seed,
            shuffle=self.config.shuffle,
            position=self.position,
            rank=rank,
            replicas=replicas,
        )
        return _loader(self.windows, self.config.num_workers, batch_sampler=sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Every validation token but the first as a target, exactly once; ``(rows, seq)`` batches, the last shorter."""
        # No gradients are kept, so a larger batch fits; the result does not depend on it.
        windows = EvaluationWindows(self.val_tokens, self.context_length, 2 * self.config.batch_size)
        return _loader(windows, 0, batch_size=None)


def get_dataloader(
    text: str | None = None,
    *,
    batch_size: int = 4,
    context_length: int = 256,
    stride: int | None = None,
    shuffle: bool = True,
    drop_last: bool = True,
    num_workers: int = 0,
) -> DataLoader[Batch]:
    """A plain PyTorch loader over the windows of ``text`` (default: the bundled fables), for notebooks.

    One pass over it is one epoch of ``(inputs, targets)`` batches, each ``(batch_size, context_length)`` int64. The
    shuffle follows torch's global seed.

    Raises:
        LabError: if the text has not enough tokens for one window.
    """

    def read() -> Any:
        documents: list[Document] = [iter([text])] if text is not None else []
        return iter(documents) if documents else corpus.documents(corpus.find_files("fables", corpus.bundled_folder()))

    tokens = tokenfile.tokenize(read, Tokenizer()).open()
    windows = Windows(tokens, context_length, stride)
    if len(windows) < (batch_size if drop_last else 1):
        fewer = f" or batch_size={len(windows)}" if len(windows) else ""
        raise LabError(
            f"the text has {len(tokens):,} tokens, {len(windows)} windows of context_length={context_length}: too few "
            f"for a batch of {batch_size}; give a longer text, a shorter context_length{fewer}"
        )
    return _loader(windows, num_workers, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last)


def _loader(dataset: Any, num_workers: int, **options: Any) -> DataLoader[Batch]:
    # The datasets already return whole batches: there is nothing left to collate.
    return DataLoader(
        dataset,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        persistent_workers=num_workers > 0,
        **options,
    )


def _as_it_is(batch: Any) -> Any:
    return batch
