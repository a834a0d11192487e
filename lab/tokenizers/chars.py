"""A token for each character that stands in the training text; a character that doesn't is written in bytes.

What a first language model is often built on (Karpathy 2015, "The Unreasonable Effectiveness of Recurrent Neural
Networks"). There, a character that was not in the text cannot be said at all. Here the 256 bytes come first, so that
every text has tokens, and every text its bits per byte.
"""

import hashlib
import re
from collections.abc import Iterable

import numpy as np

from lab.tokenizer import ENDOFTEXT, utf8
from lab.tokenizers.bytes import N_BYTES
from lab.tokenizers.contract import Definition, PieceTokenizer, id_type

_CODE_POINTS = 0x110000


class CharTokenizer(PieceTokenizer):
    """Ids 0 to 255 are the bytes, then come the characters in Unicode's order, and last ``<|endoftext|>``.

    Args:
        characters: those with a token of their own, each once.
    """

    name = "chars"
    border = re.compile("")
    """No token reaches across any place between two characters."""

    def __init__(self, characters: str) -> None:
        self.characters = "".join(sorted(set(characters)))
        pieces = [*(bytes([value]) for value in range(N_BYTES)), *map(utf8, self.characters), ENDOFTEXT.encode()]
        super().__init__(pieces, len(pieces) - 1)
        self._ids = np.full(_CODE_POINTS, -1, dtype=np.int32)
        self._ids[[ord(character) for character in self.characters]] = np.arange(N_BYTES, len(pieces) - 1)

    @property
    def fingerprint(self) -> str:
        """Of its characters."""
        return f"{self.name}-{hashlib.sha256(self.characters.encode()).hexdigest()}"

    @property
    def definition(self) -> Definition:
        """The characters, as a text."""
        return {"name": self.name, "characters": self.characters}

    def encode_array(self, text: str) -> np.ndarray:
        """``(n_tokens,)``: a token a character, several for one that has none.

        Raises:
            ValueError: if ``text`` has a lone surrogate.
        """
        utf8(text)
        ids = self._ids[np.frombuffer(text.encode("utf-32-le"), dtype="<u4")]
        pieces, start = [], 0
        for place in np.flatnonzero(ids < 0).tolist():
            pieces += [ids[start:place], np.frombuffer(text[place].encode(), dtype=np.uint8)]
            start = place + 1
        return np.concatenate([*pieces, ids[start:]]).astype(id_type(self.vocab_size))


def learn(texts: Iterable[str]) -> CharTokenizer:
    """The tokenizer with the characters of ``texts``."""
    found: set[str] = set()
    for text in texts:
        found.update(text)
    return CharTokenizer("".join(found))
