"""The learning-rate range test: a short training whose rate rises from far too small to far too large.

Smith 2017, https://arxiv.org/abs/1506.01186, section 3.3: the loss hardly moves at first, then falls, then levels out
and rises again. Where it falls is where a run may learn. One short training shows what a sweep of whole ones would;
it knows nothing of how a rate does in the long run, so what it proposes is where to begin a sweep, not its end.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from lab.config.schema import Config
from lab.data.windows import Batch
from lab.model import GPTModel
from lab.training.arithmetic import autocast
from lab.training.datamodule import LabData
from lab.training.loss import next_token_loss

DIVERGED = 1.25
"""The test ends when the smoothed loss is this many times the lowest."""
FROM_LOWEST = 3.0
"""What is proposed is the rate of the lowest smoothed loss, divided by this."""


@dataclass(frozen=True)
class Curve:
    """What came out, step by step."""

    rates: list[float]
    """Of each step: the learning rate, as ``optimizer.lr`` would have it."""
    losses: list[float]
    """Nats a token on the batch after that step."""

    @property
    def smoothed(self) -> list[float]:
        """The mean of each loss and its neighbours, a twentieth of the curve on either side (fewer at its ends): as
        many on each, so that nothing is shifted towards larger rates, as a running average would."""
        reach = max(1, len(self.losses) // 20)
        found = []
        for place in range(len(self.losses)):
            near = min(reach, place, len(self.losses) - 1 - place)
            around = self.losses[place - near : place + near + 1]
            found.append(sum(around) / len(around))
        return found

    @property
    def lowest(self) -> int:
        """Where the smoothed loss is lowest."""
        smoothed = self.smoothed
        return smoothed.index(min(smoothed))

    @property
    def proposed(self) -> float | None:
        """The rate at the lowest smoothed loss divided by ``FROM_LOWEST``, in one significant digit; None if the loss
        has not fallen by a twentieth, or was still falling at the largest rate."""
        lowest = self.lowest
        if self.smoothed[lowest] > 0.95 * self.losses[0] or lowest >= len(self.losses) - 2:
            return None
        return float(f"{self.rates[lowest] / FROM_LOWEST:.0e}")


def range_test(
    config: Config,
    model: GPTModel,
    optimizer: Optimizer,
    data: LabData,
    *,
    rates: list[float],
    tell: Callable[[float, float], None],
) -> Curve:
    """Trains ``model`` with one step at each of the ``rates``, or until it diverges.

    Args:
        config: the options; of the schedule nothing is used.
        model: on its device, in its number format.
        optimizer: groups whose rates differ keep their ratio.
        data: the training windows are used from the first on.
        rates: of ``optimizer.lr``, rising.
        tell: told of each rate, and the loss after it, as they come.
    """
    batches = iter(data.train_dataloader())
    base = [group["lr"] / config.optimizer.lr for group in optimizer.param_groups]
    torch.manual_seed(config.seed)
    model.train()
    losses: list[float] = []
    for rate in rates:
        loss = _backward(config, model, optimizer, batches.__next__)
        if not _goes_on(loss, losses):
            break
        losses.append(loss)
        if len(losses) > 1:
            tell(rates[len(losses) - 2], loss)
        for group, ratio in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = rate * ratio
        limit = config.trainer.gradient_clip_val
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), math.inf if limit is None else limit)
        if not torch.isfinite(norm):
            break
        optimizer.step()
    return Curve(rates[: max(0, len(losses) - 1)], losses[1:])


def _goes_on(loss: float, losses: list[float]) -> bool:
    last = [*losses[-4:], loss]
    lowest = min((sum(losses[i : i + 5]) / 5 for i in range(len(losses) - 4)), default=math.inf)
    return math.isfinite(loss) and sum(last) / len(last) < DIVERGED * lowest


def _backward(config: Config, model: GPTModel, optimizer: Optimizer, batch: Callable[[], Batch]) -> float:
    """The gradient of one optimizer step, summed up in its micro-batches. Returns the loss."""
    optimizer.zero_grad()
    accumulate, device = config.trainer.accumulate_grad_batches, next(model.parameters()).device
    total = torch.zeros((), device=device)
    for _ in range(accumulate):
        inputs, targets = (part.to(device) for part in batch())
        with autocast(config.trainer, device):
            loss: Tensor = next_token_loss(model.hidden(inputs), model.head.weight, targets)
        (loss / accumulate).backward()
        total += loss.detach().float() / accumulate
    return total.item()


def rising(low: float, high: float, steps: int) -> list[float]:
    """Rates from ``low`` to ``high``, each the same multiple of the one before."""
    return [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
