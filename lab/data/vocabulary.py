"""Which tokenizer a run has; and a vocabulary that is learnt from a text, without a look at what is held out.

The text that validates is the same whatever the tokenizer: it begins where GPT-2's tokens put it, whose last share of
``data.val_fraction`` it is. So bits per byte are measured on the same bytes, and can be compared. (If a token of the
other tokenizer reaches across that place, it belongs to the training text, and the validation text begins behind it.)
What stands in front of there, and nothing else, is what a vocabulary is learnt from.
"""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from lab.config.schema import TokenizerConfig, TokenizerName
from lab.data import encoding, token_counts, token_file
from lab.data.corpus import Document
from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.files.paths import typed_path
from lab.tokenizer import Tokenizer
from lab.tokenizers import bpe, chars, definition, hf
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.contract import TextTokenizer

_FORMAT = 1  # goes into the name in the cache: what an older lab has learnt otherwise is not found any more

_SAMPLE = 32 << 20
"""Bytes of text that merges are learnt from at most: the library keeps all different words of it."""


@dataclass(frozen=True)
class TrainingText:
    """What a vocabulary may be learnt from: the text in front of the validation text."""

    read: Callable[[], Iterator[Document]]
    """The documents of the corpus, from the start each time."""
    n_bytes: int
    """How much of it, from the first byte on."""
    fingerprint: str
    """The same for the same corpus, and for no other."""


def joined(texts: Sequence[TrainingText]) -> TrainingText:
    """Several texts as one, what may be learnt from of each."""
    fingerprint = hashlib.sha256(repr([(text.fingerprint, text.n_bytes) for text in texts]).encode()).hexdigest()

    def read() -> Iterator[Document]:
        return (first_bytes(text.read, text.n_bytes) for text in texts)

    return TrainingText(read, sum(text.n_bytes for text in texts), fingerprint)


def given(config: TokenizerConfig, start_folder: Path) -> TextTokenizer | None:
    """The tokenizer of the options, if it can be had without a text; ``learnt`` for the others.

    Raises:
        LabError: if a file that it is in cannot be used.
    """
    match config.name:
        case TokenizerName.gpt2:
            return Tokenizer()
        case TokenizerName.bytes:
            return ByteTokenizer()
        case TokenizerName.hf:
            if config.path is None:
                raise LabError("tokenizer=hf needs tokenizer.path=FILE: a tokenizer.json, or the folder of a model")
            return hf.open_path(typed_path(config.path, start_folder))
        case _:
            return None


def learnt(config: TokenizerConfig, text: TrainingText) -> TextTokenizer:
    """The tokenizer of the options, whose vocabulary is that of ``text``; of a long one, merges are learnt from pieces
    that lie evenly over it. Learnt once, and then found in the cache.

    Raises:
        LabError: if the cache cannot be used.
    """
    size = config.vocab_size or bpe.SMALLEST
    is_chars = config.name is TokenizerName.chars
    asked = (
        ("chars", text.fingerprint, text.n_bytes)
        if is_chars
        else ("bpe", size, text.fingerprint, text.n_bytes, _SAMPLE)
    )
    digest = hashlib.sha256(repr((_FORMAT, *asked)).encode())
    folder = token_file.cache_folder()
    path = folder / f"{config.name.name}-{digest.hexdigest()[:32]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if path.is_file():
                with contextlib.suppress(LabError, ValueError):  # damaged: learnt again
                    return definition.make(definition.check(strict_json.loads(path.read_bytes()), path.name))
            made = chars.learn(first_bytes(text.read, text.n_bytes)) if is_chars else bpe.learn(sample(text), size)
            atomic.write_json(path, made.definition)
            return made
    except OSError as error:
        raise LabError(
            f"the cache {folder} cannot be used ({error.strerror or error}): "
            f"set {token_file.CACHE_VARIABLE} to a folder that can be written to and has room"
        ) from error


def sample(text: TrainingText) -> Iterator[str]:
    """All of a text, or of one that is too long, pieces with ``_SAMPLE`` bytes in all, evenly spread; and says so."""
    if text.n_bytes > _SAMPLE:
        print(
            f"learning the vocabulary from {_SAMPLE / 1e6:.0f} of the {text.n_bytes / 1e6:,.0f} MB of training text, "
            "evenly spread",
            file=sys.stderr,
        )
    seen = taken = 0
    for piece in first_bytes(text.read, text.n_bytes):
        if taken * text.n_bytes <= seen * _SAMPLE:
            yield piece
            taken += len(piece.encode())
        seen += len(piece.encode())


def first_bytes(read: Callable[[], Iterator[Document]], n_bytes: int) -> Iterator[str]:
    """The first ``n_bytes`` of a text, in pieces at whose ends no word is cut (``encoding.safe_chunks``), but for the
    last. Half a character at the end is left out."""
    left = n_bytes

    def up_to_there(document: Document) -> Document:
        nonlocal left
        for piece in document:
            data = piece.encode()
            taken = piece if len(data) <= left else data[:left].decode("utf-8", errors="ignore")
            left -= min(left, len(data))
            yield taken
            if not left:
                return

    for document in read():
        yield from encoding.safe_chunks(up_to_there(document))
        if not left:
            return


def bytes_of(tokens: np.ndarray, lengths: np.ndarray) -> int:
    """How many bytes of text ``tokens`` stand for; ``lengths`` are those of each token of the vocabulary."""
    return int(token_counts.count(tokens, len(lengths)) @ lengths)


def first_token_from(n_bytes: int, tokens: np.ndarray, tokenizer: TextTokenizer) -> int:
    """The place of the first of ``tokens`` that begins at the byte ``n_bytes`` of their text, or behind it; never that
    of an end of text."""
    lengths = tokenizer.byte_lengths()
    # A blank that stands in front of each document and is not of the text (see JsonTokenizer.byte_lengths).
    blank, lengths[tokenizer.endoftext] = min(0, int(lengths[tokenizer.endoftext])), 0
    begun, before = 0, tokenizer.endoftext
    start = 0
    for block in token_counts.blocks(tokens):
        piece = np.asarray(block)
        follows_end = np.concatenate([[before], piece[:-1]]) == tokenizer.endoftext
        sizes = lengths[piece] + blank * follows_end
        ends = begun + np.cumsum(sizes)
        fits = np.flatnonzero((ends - sizes >= n_bytes) & (piece != tokenizer.endoftext))
        if len(fits):
            return start + int(fits[0])
        begun, before, start = int(ends[-1]), int(piece[-1]), start + len(piece)
    return len(tokens)
