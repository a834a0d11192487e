"""What the lab needs of a tokenizer, and what those that keep a piece of text for each token have in common."""

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

Definition = str | dict[str, Any]
"""A tokenizer as plain values, which a checkpoint carries: ``gpt2``, or a dict with ``name`` and what else it takes."""


class TextTokenizer(Protocol):
    """Text to token ids and back. ``lab.tokenizer.Tokenizer`` is one.

    ``decode(encode(text)) == text`` for every text: a law of ``gpt2``, ``bytes``, ``chars`` and ``bpe``. A tokenizer of
    somebody else's may change the text first (fold letters, drop blanks), and then it cannot hold.
    """

    @property
    def name(self) -> str:
        """The choice of ``tokenizer=`` that makes it."""

    @property
    def fingerprint(self) -> str:
        """The same for the same tokenizer, and for no other."""

    @property
    def definition(self) -> Definition:
        """All there is to know of it: ``lab.tokenizers.definition.make`` builds it again."""

    @property
    def border(self) -> re.Pattern[str] | None:
        """Where a text may be cut without a change in its tokens; None where nothing is known of that."""

    @property
    def vocab_size(self) -> int:
        """Ids go from 0 to one less."""

    @property
    def endoftext(self) -> int:
        """The id of the token between two documents, which no text is encoded to."""

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``. Raises ValueError if it has half of a character, which UTF-8 cannot say."""

    def encode_array(self, text: str) -> np.ndarray:
        """As ``encode``, ``(n_tokens,)`` of ``id_type(vocab_size)``."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; bytes that form no character become U+FFFD."""

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes that ``ids`` stand for, token by token."""

    def byte_lengths(self) -> np.ndarray:
        """``(vocab_size,)`` int64: bytes of text that each token stands for. They add up to the bytes of the text."""


def id_type(vocab_size: int) -> np.dtype[Any]:
    """The number format of token ids: uint16 up to 65,536 of them, uint32 beyond; little endian."""
    return np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")


class PieceTokenizer:
    """A tokenizer whose tokens are pieces of text: all but the way from a text to them.

    Args:
        pieces: the bytes of each token, by its id.
        endoftext: the id of the token between documents.
        unseen: ids of other tokens that no text is encoded to.
    """

    name: str
    border: re.Pattern[str] | None = None

    def __init__(self, pieces: Sequence[bytes], endoftext: int, unseen: Sequence[int] = ()) -> None:
        self._pieces = pieces
        self.endoftext = endoftext
        self._unseen = list(unseen)

    @property
    def vocab_size(self) -> int:
        """Ids go from 0 to one less."""
        return len(self._pieces)

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``.

        Raises:
            ValueError: if ``text`` has a lone surrogate.
        """
        ids: list[int] = self.encode_array(text).tolist()
        return ids

    def encode_array(self, text: str) -> np.ndarray:
        """As ``encode``, ``(n_tokens,)`` of ``id_type(vocab_size)``."""
        raise NotImplementedError

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes that ``ids`` stand for, token by token."""
        return b"".join([self._pieces[int(token)] for token in ids])

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; bytes that form no character become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def byte_lengths(self) -> np.ndarray:
        """``(vocab_size,)`` int64: bytes of text that each token stands for, 0 of those that are not of the text."""
        lengths = np.array([len(piece) for piece in self._pieces], dtype=np.int64)
        lengths[[self.endoftext, *self._unseen]] = 0
        return lengths


def token_text(tokenizer: TextTokenizer, token_id: int) -> str:
    """A token by itself, for a person to read; bytes that are no whole character become U+FFFD."""
    return tokenizer.decode_bytes([token_id]).decode("utf-8", errors="replace")
