"""Looking back a fixed number of tokens. Beltagy et al. 2020 ("Longformer"), https://arxiv.org/abs/2004.05150; in every
layer, as here, Jiang et al. 2023 ("Mistral 7B"), section 2, https://arxiv.org/abs/2310.06825.

Most of what a token needs stands near it, and a layer above can hand on what its neighbours have seen: after n_layers
of them, a window of w reaches n_layers * (w - 1) tokens back.

Price: no parameters. The scores that count are sliding_window a token instead of context_length, and so few are counted
among the FLOPs; this implementation computes the others, too, and hides them. Likewise the cache keeps all positions.
"""

from torch import Tensor


def within(distances: Tensor, window: int) -> Tensor:
    """Which keys a query sees: those less than ``window`` tokens before it, itself included. Any shape, to bool."""
    return (distances >= 0) & (distances < window)
