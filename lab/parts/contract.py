"""What a part has to be, and a check that it is.

A part of your own is a class in a file of yours, chosen by ``model.feed_forward=my_idea.py:GatedMLP`` and likewise for
``norm``, ``attention``, ``position`` and ``block``. It is made once a block (a position that is added to embeddings:
once a model). These are the promises that the rest of the lab relies on; ``check`` holds a part to them on a model of
no size before a run begins, so that a mistake is told in a second and not as a strange curve.

- ``nn.Linear`` and ``nn.Embedding`` in it are initialised as GPT-2's are, those called ``project`` smaller, since they
  write to the residual stream. An ``nn.Parameter`` keeps what the part gave it.
- Matrices decay, vectors don't (``lab.optim.parameter_groups``).
- Work on ``(batch, seq, emb_dim)`` of any batch and any seq up to ``context_length``; random numbers only by
  ``lab.model.Dropout`` or torch's own, in training mode alone.
"""

from typing import Protocol

import torch
from torch import Tensor

from lab.errors import LabError
from lab.model import GPTConfig, GPTModel, LayerCache, Parts
from lab.parts.config import ModelConfig, own_parts


class Norm(Protocol):
    """Made with ``(emb_dim, bias)``, where ``bias`` asks for a shift if the norm knows any."""

    def __call__(self, x: Tensor) -> Tensor:
        """``(..., emb_dim)`` to the same shape."""
        ...


class FeedForward(Protocol):
    """Made with the ``ModelConfig``. If it ends in an ``nn.Linear`` called ``project``, what goes into that is shown as
    its hidden units by ``lab.inspect``."""

    def __call__(self, x: Tensor) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape, each position by itself."""
        ...


class EmbeddingPosition(Protocol):
    """A position that is added to the token embeddings. Made with the ``ModelConfig``."""

    def __call__(self, positions: Tensor) -> Tensor:
        """``(seq,)`` or ``(batch, seq)`` int64 to ``(..., seq, emb_dim)``."""
        ...


class AttentionPosition(Protocol):
    """A position that attention is told: a class with ``rotate``, ``bias`` or both. Made with the ``ModelConfig``."""

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        """Queries or keys, ``(batch, heads, seq, head_dim)``, to the same shape; ``positions`` as above."""
        ...

    def bias(self, distances: Tensor) -> Tensor:
        """Tokens from each key to each query, ``(seq, known)`` or ``(batch, 1, seq, known)`` int64, to what is added to
        the scores, ``(..., n_heads, seq, known)``. Negative distances are hidden afterwards."""
        ...


class Attention(Protocol):
    """Made with the ``ModelConfig``, and easiest as a subclass of ``lab.model.MultiHeadAttention`` (or of
    ``lab.parts.attention.Attention``): then ``lab.inspect`` can look at its weights, too."""

    n_kv_heads: int
    head_dim: int

    def __call__(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape. No position may look ahead. With a ``cache``, ``x`` are new
        positions of longer texts: ``cache.positions`` says which, and ``cache.extend`` keeps their keys and values,
        ``(batch, n_kv_heads, seq, head_dim)``, and gives back those of all."""
        ...


class Block(Protocol):
    """Made with the ``ModelConfig`` and the ``Parts`` to build it of."""

    attention: Attention

    def __call__(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """The residual stream, ``(batch, seq, emb_dim)``, to the same shape."""
        ...


def check(config: ModelConfig, parts: Parts) -> None:
    """Holds the user's own parts to the contract, on a model of one block and few tokens.

    Raises:
        LabError: naming the options and what does not hold.
    """
    own = own_parts(config)
    if not own:
        return
    small = ModelConfig(**{**vars(config), "n_layers": 1, "context_length": min(8, config.context_length)})
    small.vocab_size = 11
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        what = ", ".join(f"model.{option}={name}" for option, name in own.items())
        try:
            model = GPTModel(small, parts).eval()
            _try(model, small)
        except _Broken as broken:
            raise LabError(f"{what}: {broken}") from broken
        except LabError:
            raise
        except Exception as error:
            raise LabError(f"{what} does not work ({type(error).__name__}: {error})") from error


class _Broken(Exception):
    """A promise of the contract that does not hold."""


def _try(model: GPTModel, config: GPTConfig) -> None:
    seq = config.context_length
    ids = torch.randint(config.vocab_size, (2, seq))
    x = model.embed(ids).detach()
    if x.shape != (2, seq, config.emb_dim):
        raise _Broken(f"the embedded tokens have the shape {tuple(x.shape)}, and must have {(2, seq, config.emb_dim)}")
    for block in model.blocks:
        if not all(hasattr(getattr(block, "attention", None), name) for name in ("n_kv_heads", "head_dim")):
            raise _Broken("a block needs an attribute attention, and that n_kv_heads and head_dim, for the cache")
        if (out := block(x)).shape != x.shape:
            raise _Broken(f"{tuple(x.shape)} comes out as {tuple(out.shape)}, and must keep its shape")
    out = model.hidden(ids)
    if not out.isfinite().all():
        raise _Broken("there is NaN or infinity in what comes out of fresh weights")
    out.sum().backward()
    if seq > 1:
        changed = ids.clone()
        changed[:, -1] = (changed[:, -1] + 1) % config.vocab_size
        with torch.no_grad():
            if not torch.allclose(model.hidden(changed)[:, :-1], out[:, :-1], rtol=0, atol=1e-5):
                raise _Broken("a position looks ahead: what it says changes with a token that comes after it")
