"""How well a model foresees a text: the log-probability it gives to each token that really came.

A model sees at most ``context_length`` tokens, so a long text is scored in windows. Side by side (``stride =
context_length``), the first tokens of each window are guessed almost blindly. Overlapping windows spare them that, for
more work: each window but the first scores only its last ``stride`` targets, and what comes before is context.

    context_length = 4, stride = 2       . context only    o scored
    targets     1 2 3 4 5 6 7 8 9
    window 1    o o o o
    window 2        . . o o
    window 3            . . o o
    window 4                . . o        the rest: fewer inputs than a full window, as much context

Needs torch and the model, no framework.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lab.model import GPTModel
from lab.parts.documents import separate_documents

_ROWS = 256
"""Positions whose logits are in memory at a time: 51 MB of them, with GPT-2's vocabulary."""


@dataclass(frozen=True)
class WindowBatch:
    """``rows`` windows of ``seq`` inputs; the first begins at token ``start``, each other ``stride`` further on.

    Of each window's targets, the first ``skip`` are scored by the window before.
    """

    start: int
    rows: int
    seq: int
    skip: int


def window_batches(n_tokens: int, context_length: int, stride: int, batch_size: int) -> Iterator[WindowBatch]:
    """How to score every token but the first exactly once, with at least ``context_length - stride`` tokens of context
    (or all that there are).

    With ``stride = context_length`` these are the windows of ``lab.data.windows.evaluation_batches``.

    Raises:
        ValueError: if ``stride`` is not in 1 to ``context_length``.
    """
    if not 1 <= stride <= context_length:
        raise ValueError(f"stride={stride} must be at least 1 and at most the context of {context_length}")
    targets = max(0, n_tokens - 1)
    skip = context_length - stride
    full = max(0, (targets - context_length) // stride + 1)
    first = 0
    if full and skip:  # the first window has nothing before it that could have scored its beginning
        yield WindowBatch(0, 1, context_length, 0)
        first = 1
    for window in range(first, full, batch_size):
        yield WindowBatch(window * stride, min(batch_size, full - window), context_length, skip)
    start = full * stride
    scored = start + skip if full else 0
    if scored < targets:
        yield WindowBatch(start, 1, targets - start, scored - start)


@dataclass(frozen=True)
class Score:
    """What a text came to."""

    nll: float
    """Negative log-likelihood of all targets together, in nats."""
    correct: int
    """Targets that were the model's likeliest token."""
    tokens: int
    """Targets."""
    n_bytes: int
    """Their length as text."""

    @property
    def loss(self) -> float:
        """Nats a token."""
        return self.nll / self.tokens

    @property
    def perplexity(self) -> float:
        """exp(loss): as unsure as if it chose among that many equally likely tokens."""
        return perplexity(self.loss)

    @property
    def bits_per_byte(self) -> float:
        """Comparable between tokenizers; eight would mean that nothing is known of the text."""
        return self.nll / math.log(2) / max(1, self.n_bytes)

    @property
    def accuracy(self) -> float:
        """Share of the targets that were the likeliest token, 0 to 1."""
        return self.correct / self.tokens


def perplexity(loss: float) -> float:
    """``exp(loss)``; infinity where that is more than a float can hold."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def score_text(
    model: GPTModel,
    tokens: np.ndarray,
    byte_lengths: np.ndarray,
    *,
    stride: int | None = None,
    batch_size: int = 8,
    document_end: int | None = None,
    advance: Callable[[int], None] = lambda scored: None,
) -> Score:
    """Scores every token of ``tokens``, ``(n_tokens,)``, but the first exactly once.

    ``byte_lengths`` is ``(vocab_size,)``: the bytes of text that each token stands for. ``stride`` defaults to the
    model's ``context_length``. Documents that end at the token ``document_end``, if it is given, do not look at each
    other (``lab.parts.documents``). ``advance`` is called with the number of targets scored, after each batch.

    Raises:
        ValueError: if there are fewer than two tokens, or ``stride`` does not suit the model.
    """
    if len(tokens) < 2:
        raise ValueError(f"{len(tokens)} tokens: there is none to predict from the one before it")
    context_length = model.config.context_length
    stride = stride or context_length
    # Python's floats are 64 bits wide on every device's behalf: a million losses in float32 lose their last digits.
    nll, correct, count, n_bytes = 0.0, 0, 0, 0
    for batch in window_batches(len(tokens), context_length, stride, batch_size):
        piece = tokens[batch.start : batch.start + (batch.rows - 1) * stride + batch.seq + 1]
        rows = np.lib.stride_tricks.sliding_window_view(piece, batch.seq + 1)[::stride].astype(np.int64)  # (B, T + 1)
        targets = rows[:, 1 + batch.skip :]
        keep = torch.zeros(rows.shape[0], batch.seq, dtype=torch.bool)
        keep[:, batch.skip :] = True
        inputs = torch.from_numpy(rows[:, :-1])
        found = _score(model, inputs, keep, torch.from_numpy(targets.flatten()), document_end)
        nll -= found.log_likelihoods.sum().item()
        correct += int(found.likeliest.sum())
        count += targets.size
        n_bytes += int(byte_lengths[targets].sum())
        advance(targets.size)
    return Score(nll, correct, count, n_bytes)


@dataclass(frozen=True)
class Continuation:
    """What a model makes of a text that continues another."""

    log_likelihood: float
    """Of all its tokens together, in nats; at most 0."""
    greedy: bool
    """Would the model, always taking the likeliest token, have written just this?"""


def score_continuations(
    model: GPTModel,
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
    *,
    batch_size: int = 8,
    advance: Callable[[int], None] = lambda scored: None,
) -> list[Continuation]:
    """Scores continuations: each pair is the tokens of a context and the tokens that continue it, neither empty.

    A pair that does not fit into the model loses tokens at the beginning of its context, never any of its continuation.
    Pairs of similar length share a batch. The shorter are filled up on the right, where attention never looks, so that
    the result is the same in any company. ``advance`` is called with the number of pairs scored, after each batch.

    Raises:
        ValueError: if a part is empty, or a continuation does not fit into ``context_length``.
    """
    context_length = model.config.context_length
    for context, continuation in pairs:
        if not context or not 1 <= len(continuation) <= context_length:
            raise ValueError(
                f"{len(continuation)} tokens after {len(context)} cannot be scored in a context of {context_length}"
            )
    found: dict[int, Continuation] = {}
    # The longest first: what does not fit into the memory shows at once.
    order = sorted(range(len(pairs)), key=lambda place: -_n_inputs(pairs[place], context_length))
    for first in range(0, len(order), batch_size):
        places = order[first : first + batch_size]
        seq = _n_inputs(pairs[places[0]], context_length)
        inputs = torch.zeros(len(places), seq, dtype=torch.int64)
        keep = torch.zeros(len(places), seq, dtype=torch.bool)
        for row, place in enumerate(places):
            context, continuation = pairs[place]
            # The last token is nobody's input.
            visible = [*context, *continuation][-context_length - 1 : -1]
            inputs[row, : len(visible)] = torch.tensor(visible)
            keep[row, len(visible) - len(continuation) : len(visible)] = True
        targets = torch.tensor([token for place in places for token in pairs[place][1]])
        scores = _score(model, inputs, keep, targets)
        lengths = [len(pairs[place][1]) for place in places]
        parts = zip(scores.log_likelihoods.split(lengths), scores.likeliest.split(lengths), strict=True)
        for place, (log_likelihoods, likeliest) in zip(places, parts, strict=True):
            found[place] = Continuation(log_likelihoods.sum().item(), bool(likeliest.all()))
        advance(len(places))
    return [found[place] for place in range(len(pairs))]


def _n_inputs(pair: tuple[Sequence[int], Sequence[int]], context_length: int) -> int:
    return min(len(pair[0]) + len(pair[1]) - 1, context_length)


@dataclass(frozen=True)
class _TokenScores:
    log_likelihoods: Tensor  # (n,) float64
    likeliest: Tensor  # (n,) bool: is the target the likeliest token?


@torch.inference_mode()
def _score(
    model: GPTModel, inputs: Tensor, keep: Tensor, targets: Tensor, document_end: int | None = None
) -> _TokenScores:
    """Scores the ``targets``, ``(n,)``, that belong to the n positions in ``keep``, row by row.

    ``inputs`` and ``keep`` are ``(batch, seq)``. Works on the model's device and answers on the CPU. The mode of the
    model (training or evaluation) is left as it was found.
    """
    was_training = model.training
    model.eval()
    try:
        device = model.head.weight.device
        inputs = inputs.to(device)
        borders = separate_documents(inputs, document_end, model.config.n_layers)
        hidden = model.hidden(inputs, borders)[keep.to(device)]  # (B, T, C) -> (n, C)
        log_likelihoods, likeliest = [], []
        for rows, wanted in zip(hidden.split(_ROWS), targets.to(device).split(_ROWS), strict=True):
            logits = model.head(rows).float()  # (rows, C) -> (rows, V)
            log_likelihoods.append(-F.cross_entropy(logits, wanted, reduction="none").cpu().double())  # (rows,)
            likeliest.append((logits.argmax(1) == wanted).cpu())
    finally:
        model.train(was_training)
    return _TokenScores(torch.cat(log_likelihoods), torch.cat(likeliest))
