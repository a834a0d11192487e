"""How often each token occurs, counted in blocks: of a corpus larger than the memory, too."""

from collections.abc import Iterable

import numpy as np

from lab.data import stamps
from lab.data.token_file import TokenFile
from lab.files.validation import parts, rows, whole

_BLOCK = 1 << 20  # tokens looked at in one go: as 64-bit numbers, which counting takes, 8 MB
_KEPT = 1 << 24  # tokens. Fewer are counted in less time than it takes to ask whether they were.


def count(tokens: np.ndarray, vocab_size: int) -> np.ndarray:
    """``(vocab_size,)`` int64: how often each id stands in ``tokens``, ``(n_tokens,)``."""
    found = np.zeros(vocab_size, dtype=np.int64)
    for block in blocks(tokens):
        found += np.bincount(block, minlength=vocab_size)
    return found


def blocks(tokens: np.ndarray) -> Iterable[np.ndarray]:
    """``tokens`` piece by piece."""
    return (tokens[start : start + _BLOCK] for start in range(0, len(tokens), _BLOCK))


def of_training(file: TokenFile, train: np.ndarray, n_behind: int, vocab_size: int) -> np.ndarray:
    """``count`` of ``train``, which stands in ``file`` in front of its last ``n_behind`` tokens. Of a large corpus,
    counted once, and kept in the cache for as long as the file is the same."""

    def find() -> dict[str, object]:
        return {"counts": count(train, vocab_size).tolist()}

    if len(train) < _KEPT:
        return count(train, vocab_size)
    kind = parts({"counts": rows(whole(), vocab_size)})
    kept = stamps.once(file.beside(f"counts-{len(train)}-{n_behind}"), [file.path], kind, find)
    return np.array(kept["counts"], dtype=np.int64)
