"""What the loss of a run is to be held against, from its text, before the first step."""

import math

import numpy as np

from lab.data import token_counts
from lab.data.mixture import MixedOrder
from lab.runs.yardsticks import Yardsticks
from lab.training.metrics import unigram_loss
from lab.training.preparation import Preparation


def measure(run: Preparation) -> Yardsticks:
    """The levels of a run's validation loss. Of a mixture, each token counts as often as the shares of the parts have
    it met: they may be others than those of the texts."""
    vocab_size, pieces = run.config.model.vocab_size, run.data.pieces
    known = {"floor_loss": run.floor.loss, "floor_bits_per_byte": run.floor.bits_per_byte} if run.floor else {}
    corpora = [run.corpus.parts.get(piece.name, run.corpus) for piece in pieces]
    each = [
        corpus.training_counts(piece.train, piece.val, vocab_size)
        for corpus, piece in zip(corpora, pieces, strict=True)
    ]
    # All tokens but the first are targets, too.
    targets = [counts - token_counts.count(p.train[:1], vocab_size) for counts, p in zip(each, pieces, strict=True)]
    val = np.sum([token_counts.count(piece.val[1:], vocab_size) for piece in pieces], axis=0)
    counts = _mixed(each, run)
    known["unigram_val_loss"] = unigram_loss(counts, val)
    known["unigram_train_loss"] = unigram_loss(counts, _mixed(targets, run))
    training_tokens = sum(len(piece.train) for piece in pieces)
    return Yardsticks(guessing_loss=math.log(vocab_size), training_tokens=training_tokens, **known)


def _mixed(counts: list[np.ndarray], run: Preparation) -> np.ndarray:
    """``(vocab_size,)``: the counts of the parts of a mixture in one, as many in all; those of a single text as they
    are."""
    order = run.data.order
    if not isinstance(order, MixedOrder):
        return counts[0]
    n_tokens = [one.sum() for one in counts]
    of_all = sum(order.weights)
    factors = [weight / of_all * sum(n_tokens) / n for weight, n in zip(order.weights, n_tokens, strict=True)]
    mixed: np.ndarray = np.sum([factor * one for factor, one in zip(factors, counts, strict=True)], axis=0)
    return mixed
