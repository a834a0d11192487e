"""Which tokenizer a run has; and a vocabulary that is learnt from a text, without a look at what is held out.

The text that validates is the same whatever the tokenizer: it begins where GPT-2's tokens put it, whose last share of
``data.val_fraction`` it is. So bits per byte are measured on the same bytes, and can be compared. (If a token of the
other tokenizer reaches across that place, it belongs to the training text, and the validation text begins behind it.)
What stands in front of there, and nothing else, is what a vocabulary is learnt from.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock

from lab.config.schema import TokenizerConfig, TokenizerName
from lab.data import encoding, token_file
from lab.data.corpus import Document
from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.tokenizer import Tokenizer
from lab.tokenizers import bpe, chars, hf
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.contract import TextTokenizer

_FORMAT = 1  # goes into the name in the cache: what an older lab has learnt otherwise is not found any more
_CHUNK = 1 << 22  # tokens looked at in one go

Read = Callable[[], Iterator[Document]]
"""The documents of a corpus, from the start each time."""


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


def learnt(config: TokenizerConfig, read: Read, n_bytes: int) -> TextTokenizer:
    """The tokenizer of the options, whose vocabulary is that of the first ``n_bytes`` of a text: of those in front of
    the validation text.

    Raises:
        LabError: if the cache cannot be used.
    """
    if config.name is TokenizerName.chars:
        return chars.learn(first_bytes(read, n_bytes))
    return _bpe(read, n_bytes, config.vocab_size or bpe.SMALLEST)


def _bpe(read: Read, n_bytes: int, vocab_size: int) -> TextTokenizer:
    """Learnt, or found in the cache by the text that it would be learnt from."""
    digest = hashlib.sha256(f"bpe {_FORMAT} {vocab_size}".encode())
    for text in first_bytes(read, n_bytes):
        data = text.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    folder = token_file.cache_folder()
    path = folder / f"bpe-{digest.hexdigest()[:32]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if path.is_file():
                with contextlib.suppress(LabError, ValueError):  # damaged: learnt again
                    return hf.JsonTokenizer(bpe.NAME, path.read_text(encoding="utf-8"))
            made = bpe.learn(first_bytes(read, n_bytes), vocab_size)
            atomic.write_text(path, made.content)
            return made
    except OSError as error:
        raise LabError(
            f"the cache {folder} cannot be used ({error.strerror or error}): "
            f"set {token_file.CACHE_VARIABLE} to a folder that can be written to and has room"
        ) from error


def first_bytes(read: Read, n_bytes: int) -> Iterator[str]:
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


def bytes_before(tokens: np.ndarray, lengths: np.ndarray, n_tokens: int) -> int:
    """How many bytes of text the first ``n_tokens`` of ``tokens`` stand for; ``lengths`` are those of each token."""
    counts = np.zeros(len(lengths), dtype=np.int64)
    for start in range(0, n_tokens, _CHUNK):
        counts += np.bincount(tokens[start : min(n_tokens, start + _CHUNK)], minlength=len(lengths))
    return int(counts @ lengths)


def first_token_from(n_bytes: int, tokens: np.ndarray, tokenizer: TextTokenizer) -> int:
    """The place of the first of ``tokens`` that begins at the byte ``n_bytes`` of their text, or behind it; never that
    of an end of text."""
    lengths = tokenizer.byte_lengths()
    # A blank that stands in front of each document and is not of the text (see JsonTokenizer.byte_lengths).
    blank, lengths[tokenizer.endoftext] = min(0, int(lengths[tokenizer.endoftext])), 0
    begun, before = 0, tokenizer.endoftext
    for start in range(0, len(tokens), _CHUNK):
        piece = np.asarray(tokens[start : start + _CHUNK])
        follows_end = np.concatenate([[before], piece[:-1]]) == tokenizer.endoftext
        sizes = lengths[piece] + blank * follows_end
        ends = begun + np.cumsum(sizes)
        fits = np.flatnonzero((ends - sizes >= n_bytes) & (piece != tokenizer.endoftext))
        if len(fits):
            return start + int(fits[0])
        begun, before = int(ends[-1]), int(piece[-1])
    return len(tokens)
