"""Batches for Lightning."""

from collections.abc import Sequence
from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader

from lab.config.schema import Config, DataConfig
from lab.data.loader import batch_loader
from lab.data.mixture import JoinedWindows, MixedOrder, Piece
from lab.data.prepare import Corpus, split
from lab.data.shuffle import Shuffle, suitable
from lab.data.windows import Batch, EvaluationWindows, SeekableSampler, Windows
from lab.errors import LabError


class LabData(L.LightningDataModule):
    """Training batches without end from one part of the corpus, and every token of the other part for validation.

    Lightning sees a single endless epoch. Ours, a pass over the windows, is the sampler's business: so a step needs
    no second counting in Lightning's epochs, and a run can be continued at any step by telling the sampler where.

    Raises:
        LabError: if the corpus is too small for even one window of each kind.
    """

    def __init__(
        self,
        tokens: np.ndarray | Sequence[Piece],
        config: DataConfig,
        context_length: int,
        seed: int,
        border: int | None = None,
        held_out: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.context_length = context_length
        self.seed = seed
        if isinstance(tokens, np.ndarray):
            tokens = [Piece("", None, *split(tokens, config, context_length, border, held_out))]
        self.pieces = tokens
        """The corpus, or the parts of a mixture."""
        parts = [Windows(piece.train, context_length, config.stride) for piece in tokens]
        self.windows = parts[0] if len(parts) == 1 else JoinedWindows(parts)
        self.how = suitable(max(map(len, parts)), config.shuffle)
        self._evaluation: list[EvaluationWindows] = []
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
        rank, replicas = self._share
        sampler = SeekableSampler(
            len(self.windows),
            self.config.batch_size,
            order=self.order,
            position=self.position,
            rank=rank,
            replicas=replicas,
        )
        workers = self.config.num_workers
        return batch_loader(self.windows, workers, batch_sampler=sampler, pin_memory=self._for_gpu)

    @property
    def order(self) -> Shuffle | MixedOrder:
        """Which window stands at which position."""
        if not isinstance(self.windows, JoinedWindows):
            return Shuffle(len(self.windows), self.seed, self.how)
        sizes = [len(part) for part in self.windows.parts]
        weights = [size if p.weight is None else p.weight for size, p in zip(sizes, self.pieces, strict=True)]
        return MixedOrder(sizes, weights, self.seed, self.how)

    def passes(self, position: int) -> dict[str, float]:
        """How often each part of a mixture has been passed over before ``position``."""
        order = self.order
        if not isinstance(order, MixedOrder):
            return {}
        counts = zip(self.pieces, order.counts(position), order.sizes, strict=True)
        return {piece.name: count / size for piece, count, size in counts}

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """Every validation token but the first as a target, exactly once; ``(rows, seq)`` batches, the last shorter. Of
        a mixture, a loader for each part."""
        # No gradients are kept, so a larger batch fits; the result does not depend on it.
        size = 2 * self.config.batch_size
        parts = [EvaluationWindows(piece.val, self.context_length, size, *self._share) for piece in self.pieces]
        self._evaluation = parts
        loaders = [batch_loader(windows, 0, batch_size=None, pin_memory=self._for_gpu) for windows in parts]
        return loaders if len(loaders) > 1 else loaders[0]

    def counts(self, batch_idx: int, part: int = 0) -> bool:
        """Is this batch of an evaluation, of a ``part`` of a mixture, one that no other process has?"""
        return self._evaluation[part].counts(batch_idx)

    @property
    def _share(self) -> tuple[int, int]:
        """Which of the processes of the run this is, and how many there are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    @property
    def _for_gpu(self) -> bool:
        """Do batches go to a GPU? From memory that the system may not move (pinned), Lightning has them copied while
        the GPU is at work on the batch before; from other memory, the copy would wait for it."""
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"


def make_data(corpus: Corpus, config: Config) -> LabData:
    """The batches of a run.

    Raises:
        LabError: as ``LabData``.
    """
    data, context_length = config.data, config.model.context_length
    if not corpus.parts:
        border, held_out = corpus.border(data), corpus.held_out_tokens()
        return LabData(corpus.tokens.open(), data, context_length, config.seed, border, held_out)
    weights = config.corpus.weights
    pieces = []
    for place, (name, part) in enumerate(corpus.parts.items()):
        weight = weights[place] if weights is not None else None
        try:
            tokens, border = part.tokens.open(), part.border(data)
            pieces.append(Piece(name, weight, *split(tokens, data, context_length, border, part.held_out_tokens())))
        except LabError as error:
            raise LabError(f"corpus.parts: {name}: {error}") from error
    return LabData(pieces, data, context_length, config.seed)
