"""Batches for Lightning, and a plain loader for notebooks."""

from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader

from lab import corpus, fetch, tokenfile
from lab.config import CorpusConfig, CorpusSource, DataConfig
from lab.corpus import Document
from lab.errors import LabError
from lab.tokenfile import TokenFile
from lab.tokenizer import Tokenizer
from lab.windows import Batch, EvaluationWindows, SeekableSampler, Windows, split_by_position


def find_corpus(config: CorpusConfig, start_folder: Path) -> list[Path]:
    """The files of a corpus, in their fixed order, fetched if they have to be.

    Raises:
        LabError: if they are not there and cannot be had.
    """
    match config.source:
        case CorpusSource.bundled:
            return corpus.find_files(str(config.path), corpus.bundled_folder())
        case CorpusSource.url:
            return [fetch.fetch(str(config.url), str(config.path), str(config.sha256))]
        case CorpusSource.stdlib:
            return corpus.stdlib_files()
        case CorpusSource.path:
            return corpus.find_files(str(config.path), start_folder)


def tokenized_corpus(config: CorpusConfig, start_folder: Path) -> TokenFile:
    """The corpus as a file of tokens: fetched, read and encoded at first use, from then on only looked up."""
    files = find_corpus(config, start_folder)
    return tokenfile.tokenize(lambda: corpus.documents(files), Tokenizer())


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


def split(tokens: np.ndarray, config: DataConfig, context_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation tokens, two ``(n,)`` pieces of ``tokens`` that share nothing.

    Raises:
        LabError: if either is too small to be used.
    """
    border = split_by_position(len(tokens), config.val_fraction, config.max_val_tokens)
    train, val = tokens[:border], tokens[border:]
    if config.max_train_tokens is not None:
        # The piece next to the validation text, so that "little data" does not also mean "another part of the book".
        train = train[-config.max_train_tokens :]
    if len(train) < context_length + 1:
        ways = ["choose a longer text"] if config.max_train_tokens is None else ["a larger data.max_train_tokens"]
        if len(train) > 1:
            ways.append(f"model.context_length={2 ** ((len(train) - 1).bit_length() - 1)}")
        raise LabError(
            f"the corpus is too small: of its {len(tokens):,} tokens {len(train):,} are for training, and a window of "
            f"model.context_length={context_length} needs {context_length + 1:,}; {', or '.join(ways)}"
        )
    if len(val) < 2:
        raise LabError(
            f"the corpus is too small: data.val_fraction={config.val_fraction:g} of its {len(tokens):,} tokens leaves "
            f"{len(val)} for validation, and at least 2 are needed; choose a longer text or a larger data.val_fraction"
        )
    return train, val


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
        raise LabError(
            f"the text has {len(tokens):,} tokens, {len(windows)} windows of context_length={context_length}: too few "
            f"for a batch of {batch_size}; give a longer text, a shorter context_length or a smaller batch_size"
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
