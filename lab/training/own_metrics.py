"""Metrics of the user's own: ``+metrics.mine=my_idea.py:fn``, evaluated with the loss and logged beside it.

A metric sees logits and targets, and an evaluation never holds all its logits (see ``lab/training/loss.py``): it is
given them a chunk of tokens at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

from lab.errors import LabError
from lab.files import user_code
from lab.training import instantiate
from lab.training.loss import ROWS

_OURS = ("loss", "perplexity", "bits_per_byte")
"""Names that the lab's own figures have."""


class FunctionMean(Metric):
    """The mean over all tokens of what a function says of each chunk of them."""

    full_state_update = False
    total: Tensor
    tokens: Tensor

    def __init__(self, function: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.add_state("total", torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Adds a chunk: ``(n, vocab_size)`` and ``(n,)``."""
        self.total += torch.as_tensor(self.function(logits, targets)).float().detach() * len(targets)
        self.tokens += len(targets)

    def compute(self) -> Tensor:
        return self.total / self.tokens


class OwnMetrics:
    """The metrics of the options. Not a part of the module: whatever they keep is not the model's.

    Args:
        nodes: the option ``metrics``: by name, a reference or an object with a ``_target_``.

    Raises:
        LabError: if one of them cannot be made, or has a name of the lab's own.
    """

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self.metrics = {f"metrics.{name}": _made(f"metrics.{name}", node) for name, node in nodes.items()}

    def update(self, hidden: Tensor, head: Tensor, targets: Tensor) -> None:
        """Adds a batch: ``hidden`` is ``(batch, seq, emb_dim)``, ``head`` ``(vocab_size, emb_dim)``, ``targets``
        ``(batch, seq)``. Logits reach the metrics in fp32.

        Raises:
            LabError: naming the one that fails.
        """
        if not self.metrics:
            return
        rows, wanted = hidden.flatten(0, 1).split(ROWS), targets.flatten().split(ROWS)
        for some, of in zip(rows, wanted, strict=True):  # (n, C), (n,)
            logits = F.linear(some, head).float()
            for option, metric in self.metrics.items():
                with _told(option):
                    metric.to(logits.device).update(logits, of)

    def compute(self) -> dict[str, float]:
        """``val_NAME`` of each since the last call, which begins a new evaluation.

        Raises:
            LabError: naming the one that fails, or says something else than one number.
        """
        found = {}
        for option, metric in self.metrics.items():
            with _told(option):
                value = torch.as_tensor(metric.compute())
                metric.reset()
            if value.numel() != 1:
                raise LabError(f"{option} computes {value.numel():,} numbers, and a curve needs one")
            found[f"val_{option.removeprefix('metrics.')}"] = float(value)
        return found


@contextmanager
def _told(option: str) -> Iterator[None]:
    """Turns what a metric of the user's own raises into a sentence that says which, and where."""
    try:
        yield
    except LabError:
        raise
    except Exception as error:
        raise LabError(f"{option} fails ({user_code.where(error)})") from error


def _made(option: str, node: Any) -> Metric:
    name = option.removeprefix("metrics.")
    if name in _OURS:
        raise LabError(f"{option}: the lab has a figure val_{name} of its own: choose another name")
    if isinstance(node, dict):
        return cast(Metric, instantiate.make(option, node, Metric))
    if not user_code.is_reference(node):
        raise LabError(f"{option}={node} is no metric: give FILE.py:NAME, or the class as +{option}._target_=")
    found = user_code.load(option, node)
    if isinstance(found, type):
        return cast(Metric, instantiate.make(option, {"_target_": node}, Metric))
    if not callable(found):
        raise LabError(f"{option}={node} is a {type(found).__name__}, and must be a function or a torchmetrics.Metric")
    return FunctionMean(found)
