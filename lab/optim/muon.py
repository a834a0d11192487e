"""Muon for the matrices inside the blocks, AdamW for everything else, as one optimizer.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/: the averaged gradient of a matrix is replaced by the
nearest matrix whose singular values are all about one (by a few Newton-Schulz steps, products of matrices only), so
that a step changes the weights as much in the directions that gradients rarely point in as in those they favour. That
makes sense for a matrix that maps vectors to vectors. The rows of an embedding, a head's rows, scales and biases are
each by themselves: they are left to AdamW, as that post and Liu et al. 2025 (https://arxiv.org/abs/2502.16982) do it.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from lab.system import bfloat16

COEFFICIENTS = (3.4445, -4.775, 2.0315)
"""Of the odd polynomial that is applied over and over: steepest at zero, so that small singular values grow fast. It
brings them into 0.7 to 1.2 rather than to 1, which is near enough (Jordan et al. 2024)."""


def orthogonalized(matrix: Tensor, steps: int, numbers: torch.dtype) -> Tensor:
    """The matrix of the shape of ``matrix`` with its singular vectors and all singular values about one, computed in
    ``numbers`` by Newton-Schulz steps: X -> a X + b (X X^T) X + c (X X^T)^2 X, which changes singular values only."""
    a, b, c = COEFFICIENTS
    x = matrix.to(numbers)
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T  # X X^T is then the smaller one of the two
    x = x / x.norm().clamp(min=1e-7)  # no singular value above one, where the polynomial would blow it up
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.T


class Muon(Optimizer):
    """``torch.optim.Muon``, in the arithmetic that the machine has.

    torch's multiplies in bfloat16 wherever it runs, which a processor without such instructions emulates: there a step
    of a 5-million-parameter model takes ten times as long as its forward and backward pass. Here such a processor
    multiplies in fp32; on the others, each step is torch's bit for bit.
    """

    def __init__(
        self,
        params: list[dict[str, Any]],
        lr: float,
        weight_decay: float,
        *,
        momentum: float,
        nesterov: bool,
        ns_steps: int,
        adjust_lr_fn: str,
    ) -> None:
        options = {"momentum": momentum, "nesterov": nesterov, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay} | options)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step of all matrices that have a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                average = state["momentum_buffer"].lerp_(matrix.grad, 1 - group["momentum"])
                ahead = matrix.grad.lerp(average, group["momentum"]) if group["nesterov"] else average
                update = orthogonalized(ahead, group["ns_steps"], _numbers(matrix.device))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                rows, columns = matrix.shape
                if group["adjust_lr_fn"] == "original":
                    grown = math.sqrt(max(1, rows / columns))
                else:
                    grown = 0.2 * math.sqrt(max(rows, columns))
                matrix.add_(update, alpha=-group["lr"] * grown)


def _numbers(device: torch.device) -> torch.dtype:
    """What matrices are multiplied in: half the bits suffice for a direction, where they are faster."""
    return torch.float32 if device.type == "cpu" and not bfloat16.native()[0] else torch.bfloat16


class MuonAdamW(Optimizer):
    """``Muon`` and ``torch.optim.AdamW`` side by side: the groups, and what is remembered, are theirs.

    Of a matrix inside the blocks it remembers one average, of any other parameter two.

    Args:
        params: parameter groups as ``lab.optim.parameter_groups.role_groups`` makes them, each with its ``role``,
            ``lr`` and ``weight_decay``. Muon takes those of the role ``hidden``.
        lr: of groups that have none.
        weight_decay: likewise.
        momentum: Muon's share of the last average in the next.
        nesterov: Muon looks ahead by one step of momentum.
        ns_steps: Newton-Schulz steps.
        adjust_lr_fn: how Muon's step grows with the matrix: ``original``, by sqrt(max(1, rows / columns));
            ``match_rms_adamw``, to about the size of AdamW's (0.2 sqrt(max(rows, columns))), so that both take the
            same rate and decay (Liu et al. 2025, section 2.2).
        betas: of AdamW.
        eps: of AdamW.
        fused: AdamW's single kernel for all its weights.
    """

    def __init__(
        self,
        params: list[dict[str, Any]],
        lr: float = 3e-3,
        weight_decay: float = 0.1,
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        adjust_lr_fn: str = "match_rms_adamw",
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        fused: bool = False,
    ) -> None:
        of_muon = [group for group in params if group.get("role") == "hidden"]
        of_adamw = [group for group in params if group.get("role") != "hidden"]
        self.inner: list[Optimizer] = []
        if of_muon:
            muon = Muon(
                of_muon,
                lr,
                weight_decay,
                momentum=momentum,
                nesterov=nesterov,
                ns_steps=ns_steps,
                adjust_lr_fn=adjust_lr_fn,
            )
            self.inner.append(muon)
        if of_adamw:
            self.inner.append(
                AdamW(of_adamw, lr, (float(betas[0]), float(betas[1])), eps, weight_decay, fused=fused or None)
            )
        super().__init__([group for one in self.inner for group in one.param_groups], {"lr": lr})
        self._share()

    def _share(self) -> None:
        # The very dicts: a rate that a schedule sets in one of ours is set in theirs.
        groups = iter(self.param_groups)
        for one in self.inner:
            one.param_groups = [next(groups) for _ in one.param_groups]
            one.state = self.state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._share()

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of both; the loss of ``closure``, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for one in self.inner:
            one.step()
        return loss
