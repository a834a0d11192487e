"""Counts, at each evaluation, how large the weights are, and the gradients that moved them last."""

import contextlib
import math
from collections.abc import Iterable
from pathlib import Path

import lightning as L
import torch
from torch import Tensor, nn

from lab.runs.distributions import (
    GRADIENT_BINS,
    LOWEST_EXPONENT,
    WEIGHT_BINS,
    Gradients,
    Moment,
    Part,
    Weights,
    thinned,
    write,
)
from lab.training.module import GPTModule

_MOST = 1 << 16
"""Numbers of a matrix that are looked at, evenly spaced: enough for the shape of a distribution, and as cheap for an
embedding of 40 million numbers as for one of 40,000."""


class Distributions(L.Callback):
    """Keeps ``distributions.json`` of a run: what its page draws as histograms over time.

    Args:
        folder: the run's.
        eval_every: optimizer steps between two evaluations.
        earlier: the moments of the run that this one goes on from, up to the step that it goes on from.
    """

    def __init__(self, folder: Path, eval_every: int, earlier: list[Moment]) -> None:
        self.folder = folder
        self.eval_every = eval_every
        self.moments = list(earlier)
        self._gradients: tuple[int, dict[str, Gradients]] = (-1, {})
        """The step that they are of, and those of each part."""

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: object) -> None:
        step = trainer.global_step
        due = step % self.eval_every == 0 or step == trainer.max_steps
        # Here, because Lightning sets the gradients free before it evaluates. The micro-batches after a step have its
        # number, too.
        if due and step not in (0, self._gradients[0]) and _has_whole_matrices(trainer, module):
            assert isinstance(module, GPTModule)
            found = {name: [p.grad for p in of if p.grad is not None] for name, of in matrices(module.model).items()}
            self._gradients = (step, {name: gradients(of) for name, of in found.items() if of})

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if not _has_whole_matrices(trainer, module):
            return
        assert isinstance(module, GPTModule)
        step, last = trainer.global_step, self._gradients
        found = last[1] if last[0] == step else {}
        counted: dict[str, Part] = {
            name: {"weights": weights(of), "gradients": found.get(name)} for name, of in matrices(module.model).items()
        }
        self.moments = thinned([*(m for m in self.moments if m["step"] < step), {"step": step, "parts": counted}])
        with contextlib.suppress(OSError):  # a picture the less; what must not get lost says so itself
            write(self.folder, self.moments)


def _has_whole_matrices(trainer: L.Trainer, module: L.LightningModule) -> bool:
    """Where each process has only a share of a matrix, all of them would have to send theirs: not for a picture."""
    assert isinstance(module, GPTModule)
    return trainer.is_global_zero and not module.is_shared_out


def matrices(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The model's matrices by part. Vectors (biases, the scales of norms) are left out: they are few, and begin
    elsewhere."""
    found: dict[str, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2:
            found.setdefault(_part(name), []).append(parameter)
    return found


def _part(name: str) -> str:
    """``blocks.0.attention.qkv.weight`` is of ``blocks.0.attention``, ``token_embedding.weight`` of what it says."""
    words = name.split(".")
    return ".".join(words[: 3 if words[0] == "blocks" else 1])


def weights(of: Iterable[Tensor]) -> Weights:
    """The weights in some matrices, counted in bins of equal width."""
    found = _some(of)
    edge = found.abs().max().item() if len(found) else 0.0
    # histc takes no interval without a width.
    counts = torch.histc(found, WEIGHT_BINS, min=-(edge or 1.0), max=edge or 1.0)
    return {"edge": edge, "counts": [int(count) for count in counts.tolist()]}


def gradients(of: Iterable[Tensor]) -> Gradients:
    """The numbers in some gradients, counted by powers of two."""
    found = _some(of)
    nonzero = found[found != 0]
    # frexp gives 0.5 <= mantissa < 1: a number from 2^e on has the exponent e + 1.
    places = (torch.frexp(nonzero).exponent - 1 - LOWEST_EXPONENT).clamp(0, GRADIENT_BINS - 1)
    counts = torch.bincount(places, minlength=GRADIENT_BINS)
    return {"zeros": len(found) - len(nonzero), "counts": counts.tolist()}


@torch.no_grad()
def _some(of: Iterable[Tensor]) -> Tensor:
    """The finite ones of evenly spaced numbers of each matrix, in a row, in fp32 on the CPU."""
    found = torch.cat([matrix.detach().flatten()[:: _stride(matrix)].float().cpu() for matrix in of])
    return found[found.isfinite()]


def _stride(matrix: Tensor) -> int:
    """So that about ``_MOST`` numbers are taken, and of every column: steps that divide the row come back to few."""
    stride = max(1, matrix.numel() // _MOST)
    while math.gcd(stride, matrix.shape[-1]) > 1:
        stride += 1
    return stride
