"""What the loss of a run is to be held against, from its text, before the first step."""

import math

from lab.data import token_counts
from lab.runs.yardsticks import Yardsticks
from lab.training.metrics import unigram_loss
from lab.training.preparation import Preparation


def measure(run: Preparation) -> Yardsticks:
    """The levels of a run's validation loss. Counting single tokens is a yardstick of one text, not of a mixture."""
    vocab_size, (one, *others) = run.config.model.vocab_size, run.data.pieces
    counts = None if others else run.corpus.training_counts(one.train, one.val, vocab_size)
    known = {"floor_loss": run.floor.loss, "floor_bits_per_byte": run.floor.bits_per_byte} if run.floor else {}
    if counts is not None:
        # All of them but the first are targets, too.
        known["unigram_val_loss"] = unigram_loss(counts, token_counts.count(one.val[1:], vocab_size))
        known["unigram_train_loss"] = unigram_loss(counts, counts - token_counts.count(one.train[:1], vocab_size))
    training_tokens = sum(len(piece.train) for piece in run.data.pieces)
    return Yardsticks(guessing_loss=math.log(vocab_size), training_tokens=training_tokens, **known)
