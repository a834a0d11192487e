"""A gradient that has left the finite ends a run before it reaches the weights."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from lab.errors import LabError


class Divergence:
    """Judges the length of each step's gradient.

    On a CPU at once. On a GPU, looking at a number makes the processor wait until all work handed out so far is done,
    and hand out nothing meanwhile: in every step, that is time in which a small model's GPU stands idle. There the
    judgement stays on the device. From the first step whose gradient is not finite on, the optimizer is told there to
    leave out its steps, and ``stop`` looks whether that has happened, where numbers are read anyway.
    """

    def __init__(self) -> None:
        self._step: Tensor | None = None
        """The first step whose gradient was not finite, 0 before there is one; on the device."""
        self._norm: Tensor | None = None
        """Its length."""

    def judge(self, norm: Tensor, step: int, optimizer: Optimizer) -> None:
        """Takes the length of the gradient of ``step``, before ``optimizer`` uses it.

        Raises:
            LabError: if it is not finite and this is told at once: on a CPU, or with an optimizer that cannot be told
                on the device.
        """
        if norm.device.type == "cpu" or not leaves_out_steps(optimizer):
            _refuse(norm, step)
        else:
            self.defer(norm, step, optimizer)

    def defer(self, norm: Tensor, step: int, optimizer: Optimizer) -> None:
        """As ``judge``, without looking: nothing is read from the device."""
        norm = norm.detach()
        if self._step is None or self._norm is None:
            self._step, self._norm = torch.zeros_like(norm, dtype=torch.int64), torch.zeros_like(norm)
        fresh = (self._step == 0) & ~torch.isfinite(norm)
        self._step = torch.where(fresh, step, self._step)
        self._norm = torch.where(fresh, norm, self._norm)
        # The way of torch's own loss scaling: a fused step that finds a 1 here changes nothing.
        optimizer.found_inf = (self._step > 0).to(torch.float32)  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Looks whether a gradient was not finite.

        Raises:
            LabError: naming the first step of which it was.
        """
        if self._step is not None and self._norm is not None and (step := int(self._step.item())):
            _refuse(self._norm, step)


def leaves_out_steps(optimizer: Optimizer) -> bool:
    """Can this optimizer be told on the device to leave out a step? It is what torch's own loss scaling asks."""
    return bool(getattr(optimizer, "_step_supports_amp_scaling", False))


def _refuse(norm: Tensor, step: int) -> None:
    if not torch.isfinite(norm):
        raise LabError(diverged(f"the gradient became {norm.item()}", step))


def diverged(what: str, step: int) -> str:
    """The sentence for a run whose numbers have left the finite."""
    return (
        f"training diverged: {what} at step {step}. Try a smaller optimizer.lr, more schedule.warmup_steps, or "
        "trainer.precision=32-true; checkpoints saved so far are kept"
    )
