"""Batches out of a token file: the lab's loader, and the shortest way that there is, slices at random places."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from lab.benchmark.child import Orders
from lab.config.schema import Config
from lab.data.windows import open_tokens

_TOKENS = 2_000_000
"""In the file."""


def serve(config: Config, job: dict[str, Any], orders: Orders) -> None:
    """Cuts as many batches as it is told to."""
    path = Path(job["folder"]) / f"{job['side']}.bin"
    np.random.default_rng(config.seed).integers(0, config.model.vocab_size, _TOKENS).astype("<u2").tofile(path)
    orders.serve(_lab(config, path) if job["side"] == "lab" else _slices(config, path))


def _lab(config: Config, path: Path) -> Any:
    from lab.training.datamodule import LabData

    data = LabData(open_tokens(path), config.data, config.model.context_length, config.seed)
    return iter(data.train_dataloader()).__next__


def _slices(config: Config, path: Path) -> Any:
    """A batch as nanoGPT's ``train.py`` makes one: a slice of the file for each row, at a random place."""
    length, rows = config.model.context_length, config.data.batch_size

    def batch() -> tuple[torch.Tensor, torch.Tensor]:
        tokens = np.memmap(path, dtype="<u2", mode="r")
        starts = torch.randint(len(tokens) - length, (rows,)).tolist()
        inputs = [torch.from_numpy(tokens[start : start + length].astype(np.int64)) for start in starts]
        targets = [torch.from_numpy(tokens[start + 1 : start + 1 + length].astype(np.int64)) for start in starts]
        return torch.stack(inputs), torch.stack(targets)

    return batch
