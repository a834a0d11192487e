"""The text behind a run, as tokens: found, encoded, and cut into what trains and what validates."""

from pathlib import Path

import numpy as np

from lab import corpus, fetch, tokenfile
from lab.config import CorpusConfig, CorpusSource, DataConfig
from lab.errors import LabError
from lab.tokenfile import TokenFile
from lab.tokenizer import Tokenizer
from lab.windows import split_by_position


def find_corpus(config: CorpusConfig, start_folder: Path) -> list[Path]:
    """The files of a corpus, in their fixed order, fetched if they have to be.

    Raises:
        LabError: if they are not there and cannot be had.
    """
    match config.source:
        case CorpusSource.bundled:
            return corpus.find_files(str(config.path), corpus.bundled_folder())
        case CorpusSource.url:
            return [fetch.fetch(str(config.url), str(config.path), str(config.sha256))]
        case CorpusSource.stdlib:
            return corpus.stdlib_files()
        case CorpusSource.path:
            return corpus.find_files(str(config.path), start_folder)


def tokenized_corpus(config: CorpusConfig, start_folder: Path) -> TokenFile:
    """The corpus as a file of tokens: fetched, read and encoded at first use, from then on only looked up."""
    files = find_corpus(config, start_folder)
    return tokenfile.tokenize(lambda: corpus.documents(files), Tokenizer())


def cut(tokens: np.ndarray, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation tokens, two ``(n,)`` pieces of ``tokens`` that share nothing, however short they are."""
    border = split_by_position(len(tokens), config.val_fraction, config.max_val_tokens)
    train, val = tokens[:border], tokens[border:]
    if config.max_train_tokens is not None:
        # The piece next to the validation text, so that "little data" does not also mean "another part of the book".
        train = train[-config.max_train_tokens :]
    return train, val


def split(tokens: np.ndarray, config: DataConfig, context_length: int) -> tuple[np.ndarray, np.ndarray]:
    """As ``cut``, for a run: each piece is long enough to be used.

    Raises:
        LabError: if either is too small to be used.
    """
    train, val = cut(tokens, config)
    if len(train) < context_length + 1:
        ways = ["choose a longer text"] if config.max_train_tokens is None else ["a larger data.max_train_tokens"]
        if len(train) > 1:
            ways.append(f"model.context_length={2 ** ((len(train) - 1).bit_length() - 1)}")
        raise LabError(
            f"the corpus is too small: of its {len(tokens):,} tokens {len(train):,} are for training, and a window of "
            f"model.context_length={context_length} needs {context_length + 1:,}; {', or '.join(ways)}"
        )
    if len(val) < 2:
        raise LabError(
            f"the corpus is too small: data.val_fraction={config.val_fraction:g} of its {len(tokens):,} tokens leaves "
            f"{len(val)} for validation, and at least 2 are needed; choose a longer text or a larger data.val_fraction"
        )
    return train, val
