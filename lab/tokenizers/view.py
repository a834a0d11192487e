"""A text as its tokens, for a person to look at, and what a vocabulary has learnt first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lab.errors import LabError
from lab.tokenizer import Tokenizer, vocabulary_files
from lab.tokenizers.contract import TextTokenizer
from lab.tokenizers.hf import ALPHABET


@dataclass(frozen=True)
class Piece:
    """A token where it stands in a text."""

    token_id: int
    data: bytes
    """What it stands for."""

    @property
    def text(self) -> str:
        """As it can be printed: what is no character by itself, or none that shows, as an escape."""
        return printable(self.data)


@dataclass(frozen=True)
class View:
    """A text under one tokenizer."""

    name: str
    vocab_size: int
    pieces: list[Piece]
    n_bytes: int
    """Of the text in UTF-8."""
    merges: list[tuple[str, str]]
    """What was joined first, in its order; empty where nothing was learnt that way."""

    @property
    def bytes_per_token(self) -> float:
        """How much text a token stands for, on average; 0 of an empty text."""
        return self.n_bytes / len(self.pieces) if self.pieces else 0.0


def view(tokenizer: TextTokenizer, text: str, n_merges: int = 10) -> View:
    """``text`` under ``tokenizer``, and the first ``n_merges`` merges of its vocabulary.

    Raises:
        ValueError: if ``text`` has half of a character in it.
    """
    pieces = [Piece(token, tokenizer.decode_bytes([token])) for token in tokenizer.encode(text)]
    merges = first_merges(tokenizer, n_merges)
    return View(tokenizer.name, tokenizer.vocab_size, pieces, len(text.encode()), merges)


def first_merges(tokenizer: TextTokenizer, n: int) -> list[tuple[str, str]]:
    """The first ``n`` pairs that byte-pair encoding joined, each half as it can be printed."""
    return [(_written(left), _written(right)) for left, right in _merges(tokenizer)[:n]]


def printable(data: bytes) -> str:
    """``data`` as a text in one line; bytes that are no character, and characters that do not show, as escapes."""
    text = data.decode("utf-8", errors="backslashreplace")
    return "".join(
        sign if sign.isprintable() or sign == "\ufffd" else sign.encode("unicode_escape").decode() for sign in text
    )


def _merges(tokenizer: TextTokenizer) -> Sequence[Sequence[str]]:
    """All pairs, in the signs of the vocabulary's own alphabet."""
    if tokenizer.name == Tokenizer.name:
        try:
            lines = vocabulary_files()[0].read_text(encoding="utf-8").strip("\n").split("\n")[1:]
        except LabError:
            return []  # tiktoken has fetched its own form of it
        return [line.split(" ") for line in lines]
    described = tokenizer.definition
    if not isinstance(described, dict) or "tokenizer_json" not in described:
        return []
    found = json.loads(described["tokenizer_json"])["model"].get("merges") or []
    return [pair.split(" ") if isinstance(pair, str) else pair for pair in found]


def _written(word: str) -> str:
    if all(sign in ALPHABET for sign in word):
        return printable(b"".join(ALPHABET[sign] for sign in word))
    return word.replace("▁", " ")
