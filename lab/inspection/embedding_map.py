"""Token embeddings on a plane: the two directions in which they differ most."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lab.model import GPTModel

MOST_TOKENS = 1024


@dataclass(frozen=True)
class EmbeddingMap:
    """Some tokens' embeddings, projected on their first two principal components."""

    token_ids: list[int]
    coordinates: Tensor
    """``(n, 2)``, with the mean at zero, in the embedding's own units."""
    explained: tuple[float, float]
    """The share of the embeddings' variance in each of the two directions; what is missing to 1 the map cannot show."""


@torch.no_grad()
def embedding_map(model: GPTModel, token_ids: Sequence[int]) -> EmbeddingMap:
    """Principal components of the embeddings of ``token_ids`` (Pearson 1901): of all flat maps, the one that keeps the
    most of their differences. Each token counts once.

    A component is no arrow: its two ends are told apart by its largest entry, which is made positive.

    Raises:
        ValueError: if the model has no such token, or there are more than ``MOST_TOKENS``.
    """
    ids = list(dict.fromkeys(token_ids))
    table = model.token_embedding.weight
    if outside := [token for token in ids if not 0 <= token < len(table)]:
        raise ValueError(f"token {outside[0]} is not in a vocabulary of {len(table)}")
    if len(ids) > MOST_TOKENS:
        raise ValueError(f"these are {len(ids):,} tokens, and {MOST_TOKENS:,} are the most")
    # On the CPU in float64: sums over thousands of products, and Apple's GPUs know no float64.
    points = table[torch.tensor(ids, device=table.device)].cpu().double()  # (n, C)
    centred = points - points.mean(dim=0)
    if not centred.isfinite().all():
        raise ValueError("an embedding is not finite: the run has diverged")
    _, lengths, directions = torch.linalg.svd(centred, full_matrices=False)
    axes = torch.zeros(2, centred.shape[1], dtype=torch.float64)
    axes[: len(directions)] = directions[:2]
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    axes = axes * torch.where(largest < 0, -1.0, 1.0)
    variances = lengths.square()
    shares = [*(variances / variances.sum().clamp(min=1e-300)).tolist(), 0.0, 0.0]
    return EmbeddingMap(ids, centred @ axes.T, (shares[0], shares[1]))


def common_tokens(vocab_size: int, prompt: Sequence[int], count: int = 300) -> list[int]:
    """The distinct tokens of a prompt, then the commonest others, ``count`` in all at least: byte-pair encoding numbers
    its tokens in the order in which it merged them, and the 256 single bytes come before."""
    first = 256 if vocab_size > 256 + count else 0
    background = range(first, min(vocab_size, first + count))
    return list(dict.fromkeys([*prompt, *background]))[:MOST_TOKENS]
