"""What no model can do better than: known where the corpus is written by a grammar (``corpus=grammar``).

The grammar says how likely each text is. Minus the binary logarithm of that is how many bits a model needs for it that
knows the grammar, and no other model needs fewer in the mean (Shannon 1948). Two figures come of it. The *source* is
the mean of all texts there are, ends of documents among what is to be foreseen: entropy of a document over its bytes.
The *floor* is that of the very text that validates, given what stands before it, so that a validation loss can be held
against it without the luck of the sample: a validation text may well be a little easier than the mean.

The floor is that of a model that sees each document from its beginning. One that reads windows side by side knows less
at the start of each, and comes to rest a little higher.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import lightning as L
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger

from lab.config import corpora
from lab.config.corpus_schema import CorpusConfig, CorpusSource
from lab.data.mixture import Piece
from lab.data.prepare import Corpus
from lab.data.sentences import grammar
from lab.data.token_file import TokenFile
from lab.tokenizers.contract import TextTokenizer
from lab.training.module import GPTModule


@dataclass(frozen=True)
class Floor:
    """The least that is possible on a validation text."""

    loss: float
    """Nats a token."""
    bits_per_byte: float
    source: float
    """Bits per byte, in the mean of all texts."""

    @property
    def figures(self) -> dict[str, float]:
        """As they are logged."""
        return {"floor_loss": self.loss, "floor_bits_per_byte": self.bits_per_byte}

    def told(self) -> str:
        """For a table."""
        return (
            f"{self.bits_per_byte:.4f} bits per byte of the validation text, {self.loss:.4f} nats a token\n"
            f"{self.source:.4f} bits per byte in the mean of all such texts"
        )


def of_corpus(config: CorpusConfig, corpus: Corpus, pieces: Sequence[Piece], tokenizer: TextTokenizer) -> Floor | None:
    """The floor under all that validates, ``pieces`` of ``corpus``: of a mixture, where each of its parts has one."""
    if not corpus.parts:
        return find(config, corpus.tokens, len(pieces[0].val), tokenizer)
    configs, files = corpora.parts_of(config).values(), [part.tokens for part in corpus.parts.values()]
    found: list[Floor] = []
    for part, file, piece in zip(configs, files, pieces, strict=True):
        if (one := find(part, file, len(piece.val), tokenizer)) is None:
            return None
        found.append(one)
    targets = [len(piece.val) - 1 for piece in pieces]
    nats = [floor.loss * n for floor, n in zip(found, targets, strict=True)]
    n_bytes = [n / math.log(2) / floor.bits_per_byte for floor, n in zip(found, nats, strict=True)]
    return Floor(sum(nats) / sum(targets), sum(nats) / math.log(2) / sum(n_bytes), found[0].source)


def find(config: CorpusConfig, file: TokenFile, n_val: int, tokenizer: TextTokenizer) -> Floor | None:
    """The floor under the last ``n_val`` tokens of ``file``, of which all but the first are foreseen; None where it is
    not known: for another corpus, or tokens that are not the text as it was written."""
    if config.source != CorpusSource.grammar:
        return None
    tokens = file.open()
    border = len(tokens) - n_val + 1  # what stands before it is given
    ends = np.flatnonzero(tokens == tokenizer.endoftext)
    begins = [0, *(ends + 1).tolist()]
    bits, n_bytes = 0.0, 0
    for begin, end in zip(begins, [*ends.tolist(), len(tokens)], strict=True):
        if end < border:  # its end, too, is before it
            continue
        known = tokenizer.decode(tokens[begin : max(begin, border)].tolist())
        text = known + tokenizer.decode(tokens[max(begin, border) : end].tolist())
        # That the last text ends there is nothing that a token says.
        bits += grammar().information(text, whole=end < len(tokens)) - grammar().information(known, whole=False)
        n_bytes += len(text) - len(known)
    if not math.isfinite(bits) or n_val < 2:
        return None
    return Floor(bits * math.log(2) / (n_val - 1), bits / max(1, n_bytes), grammar().source().bits_per_character)


class FloorLine(L.Callback):
    """Draws the floor beside the validation: for TensorBoard, the event log and the page."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor

    def on_fit_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Has TensorBoard draw both lines in one chart, in its tab of custom scalars."""
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger) and trainer.is_global_zero:
                lines = ["val_bits_per_byte", "floor_bits_per_byte"]
                logger.experiment.add_custom_scalars_multilinechart(
                    lines, title="bits per byte, and the least possible"
                )

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        assert isinstance(module, GPTModule)
        module.write(self.floor.figures, trainer.global_step)
