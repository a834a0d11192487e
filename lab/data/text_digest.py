"""A text known by its hash, taken while it passes by."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.data.corpus import Document
from lab.tokenizer import ENDOFTEXT
from lab.tokenizers.contract import TextTokenizer

_FORMAT = 1  # goes into the hash: files of an older layout are simply not found any more


@dataclass(frozen=True)
class TextFacts:
    """What is known of a text once it has been read to its end."""

    fingerprint: str
    """SHA-256 over the text and the tokenizer's fingerprint."""
    n_documents: int
    n_bytes: int
    """Length of the text in UTF-8, separators not counted."""
    n_mentions: int
    """How often the text mentions ``<|endoftext|>``: typed out, it separates nothing."""


class TextDigest:
    """SHA-256 of a text, and of what makes tokens of it."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._digest = hashlib.sha256(f"{tokenizer.fingerprint} {_FORMAT}".encode())
        self._n_bytes = self._n_documents = self._n_mentions = 0

    def watching(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The same documents; each must be read to its end before the next."""
        for document in documents:
            before = self._n_bytes
            yield self._pieces(document)
            if self._n_bytes > before:
                self._digest.update(b"\xff")  # no UTF-8 text contains this byte: "a" + "b" and "ab" differ
                self._n_documents += 1

    def _pieces(self, document: Document) -> Document:
        end = ""  # of the pieces before, too short for a whole mention
        for piece in document:
            end += piece
            self._n_mentions += end.count(ENDOFTEXT)
            end = end[1 - len(ENDOFTEXT) :]
            data = piece.encode("utf-8")
            self._digest.update(data)
            self._n_bytes += len(data)
            yield piece

    def facts(self) -> TextFacts:
        """Of all that has passed by."""
        return TextFacts(self._digest.hexdigest(), self._n_documents, self._n_bytes, self._n_mentions)


def of_name(name: str, tokenizer: TextTokenizer) -> str:
    """The fingerprint of a text that a name stands for once and for all, unread."""
    return hashlib.sha256(f"{tokenizer.fingerprint} {_FORMAT} {name}".encode()).hexdigest()
