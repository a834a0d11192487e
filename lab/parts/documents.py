"""Documents that share a window without looking at each other (``data.document_mask=true``).

A window is cut from one long row of texts, and often has several in it. By default a token looks back over the border,
and the model has to learn that what stands before an <|endoftext|> tells it nothing. Here it cannot look there: each
document is computed as if it stood alone, its positions counted from its own beginning. Llama 3 was trained so, and its
authors found it to matter for long contexts, and little elsewhere (https://arxiv.org/abs/2407.21783, section 3.2).

A document begins with the <|endoftext|> before it, which is what its first word is foreseen from; the one that a window
begins in the middle of begins with the window.

Price: batch * seq * seq bytes for who may look at whom, and as much again for each layer, in the format of the
arithmetic, where a fused kernel wants numbers (everywhere but with dropout on a CPU). A fused kernel that is told so
computes all seq * seq scores, where that for a plain text leaves out half of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lab.model import LayerCache


@dataclass(frozen=True)
class DocumentBorders:
    """What a layer is told about a batch of windows, by way of what it is told about texts that are written on (see
    ``lab.model.LayerCache``): it remembers nothing, and hides the other documents."""

    positions: Tensor
    """``(batch, seq)`` int64: where in its document each token stands."""
    visible: Tensor
    """``(batch, 1, seq, seq)`` bool: the token itself, and those before it in its document."""

    @property
    def key_positions(self) -> Tensor:
        """As ``positions``, of the keys; where there is none of these, they stand at 0, 1, 2 ..."""
        return self.positions

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Nothing is added to the keys and values."""
        return keys, values, self.visible


def separate_documents(token_ids: Tensor, endoftext: int | None, n_layers: int) -> Sequence[LayerCache] | None:
    """What ``GPTModel.hidden`` takes for ``token_ids``, ``(batch, seq)`` int64, if documents end at ``endoftext``. If
    that is None, it is None, which hides nothing."""
    if endoftext is None:
        return None
    begins = token_ids == endoftext
    places = torch.arange(token_ids.shape[1], device=token_ids.device)
    first = torch.where(begins, places, 0).cummax(1).values  # (B, T): where the document of each token begins
    visible = (first[:, :, None] == first[:, None, :]).tril()[:, None]
    return [DocumentBorders(places - first, visible)] * n_layers
