"""Muon for the matrices inside the blocks, AdamW for everything else, as one optimizer.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/: the averaged gradient of a matrix is replaced by the
nearest matrix whose singular values are all about one (by a few Newton-Schulz steps, products of matrices only), so
that a step changes the weights as much in the directions that gradients rarely point in as in those they favour. That
makes sense for a matrix that maps vectors to vectors. The rows of an embedding, a head's rows, scales and biases are
each by themselves: they are left to AdamW, as that post and Liu et al. 2025 (https://arxiv.org/abs/2502.16982) do it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import AdamW, Optimizer


class MuonAdamW(Optimizer):
    """``torch.optim.Muon`` and ``torch.optim.AdamW`` side by side: the groups, and what is remembered, are theirs.

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
            muon = torch.optim.Muon(
                of_muon, lr, weight_decay, momentum, nesterov, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn
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
