"""Which tokens the samples of a training are drawn from: those that occur in its text. Its checkpoints carry them on,
so that whatever lets such a model write draws from the same.

A vocabulary such as GPT-2's was made from the whole web, and a model with random weights draws from all of it: names,
scraps of code, slurs, none of which the text of the run has ever used. What a model can learn from a text is about the
tokens in it; of the others it learns one thing, that they do not come. A trained model knows that by itself, and its
samples are what they would be without this.
"""

import torch
from torch import Tensor

from lab.training.preparation import Preparation


def occurring(run: Preparation) -> Tensor | None:
    """``(vocab_size,)`` bool, on the CPU: does a token stand in the training text? None where the run begins with the
    weights of another (``init_from``), which may know more words than this text has."""
    if run.config.init_from is not None:
        return None
    vocab_size = run.config.model.vocab_size
    corpora = list(run.corpus.parts.values()) or [run.corpus]
    found = torch.zeros(vocab_size, dtype=torch.bool)
    for corpus, piece in zip(corpora, run.data.pieces, strict=True):
        found |= torch.from_numpy(corpus.training_counts(piece.train, piece.val, vocab_size)) > 0
    return found
