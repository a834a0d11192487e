"""muP: a learning rate that is found at one width and serves at others. Yang et al. 2022,
https://arxiv.org/abs/2203.03466, with Adam, as their Table 8 has it (the form in which embedding and head may share
their matrix), relative to a base width at which nothing changes. With r = width / base width:

- Hidden matrices (those inside the blocks): initial standard deviation / sqrt(r), Adam's learning rate / r. The
  decoupled decay of a step, rate times weight decay, stays what it is: the weight decay is times r.
- Embeddings, biases, scales of norms: initialisation and rate stay.
- The head: initialisation and rate stay, and its output is divided by r. That division is done by the norm before it:
  its scale begins at 1 / r, and learns at a rate / r. For Adam, whose steps do not depend on the gradient's size, that
  is the same run (their Lemma J.1, up to Adam's eps and the norm that clipping sees), and the model stays the plain
  one, for export as well.
- Attention scores: muP divides by the size of a head where others divide by its square root. With heads of one size,
  ``n_heads`` growing with the width, the two differ by a constant that the base width has, too. Keep that size.

Measured once, one seed, 150 steps of 256 bytes of the fables, two layers, heads of 16, base width 64; validation loss
in nats a byte at lr 1e-3, 2e-3, 4e-3, 8e-3. The best rate stays with muP, and moves without it; but in a run as
short as this the plain model is the better one at each width, at its own rate:

    width 64            2.590  2.441  2.589  2.998
    width 128, muP      2.546  2.383  2.394  2.927
    width 256, muP      2.564  2.395  2.455  2.929
    width 128, without  2.301  2.226  2.252  2.526
    width 256, without  2.164  2.224  (the others were not run)

Not of the recipe, and not done: zero initialisation of the head and of queries (their Appendix D.2).
"""

import torch
from torch import nn

from lab.optim.parameter_groups import Role, role


def rates(lr: float, ratio: float) -> dict[Role, float]:
    """The learning rate of each role, where ``ratio`` is the width over the base width."""
    return {
        "hidden": lr / ratio,
        "other": lr / ratio,
        "embedding": lr,
        "head": lr,
        "vector": lr,
        "output_norm": lr / ratio,
    }


@torch.no_grad()
def rescale(model: nn.Module, ratio: float) -> None:
    """Turns the initial weights of a model, freshly made, into those of muP.

    Raises:
        ValueError: if no norm with a scale stands before the head.
    """
    named = [(role(name, parameter), parameter) for name, parameter in model.named_parameters()]
    if not any(kind == "output_norm" for kind, _ in named):
        raise ValueError("muP divides the output by way of the scale of model.final_norm, and there is none")
    for kind, parameter in named:
        if kind in ("hidden", "other"):
            parameter.mul_(ratio**-0.5)
        elif kind == "output_norm":
            parameter.div_(ratio)
