"""Documents to token ids, on all cores and in bounded memory, token for token as each document in one go."""

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from lab.data.corpus import Document
from lab.tokenizer import BORDER
from lab.tokenizers.contract import TextTokenizer, id_type

_CHUNK = 1 << 18  # characters encoded at a time by one core

LONGEST = 1 << 20
"""Characters of a text that may be one chunk because there is no border in it: a single word, that is."""

Job = list[str | None]
"""What a core encodes in one go: chunks of documents, and None where one ends and another begins."""

Mark = TypeVar("Mark")


def encode_documents(documents: Iterable[Document], tokenizer: TextTokenizer) -> Iterator[np.ndarray]:
    """Token ids of all documents, ``(n,)`` piece by piece, ``<|endoftext|>`` between two of them; in bounded memory
    where the tokenizer says where a document may be cut, else a document at a time.
    """
    for _, ids in encode_jobs(((None, job) for job in jobs(documents, tokenizer)), tokenizer):
        yield ids


def jobs(documents: Iterable[Document], tokenizer: TextTokenizer, size: int = _CHUNK) -> Iterator[Job]:
    """The documents in portions of some ``size`` characters: a long one in several, and many short ones in one."""
    job: Job = []
    length, is_first = 0, True
    for document in documents:
        is_empty = True
        for chunk in _whole(document) if tokenizer.border is None else safe_chunks(document, size, tokenizer.border):
            if is_empty and not is_first:
                job.append(None)
            is_empty = is_first = False
            job.append(chunk)
            length += len(chunk)
            if length >= size:
                yield job
                job, length = [], 0
    if job:
        yield job


def encode_jobs(marked: Iterable[tuple[Mark, Job]], tokenizer: TextTokenizer) -> Iterator[tuple[Mark, np.ndarray]]:
    """The token ids of each job, ``(n,)``, in order, with what it was marked with.

    The libraries set the interpreter free while they encode, so that threads really run side by side.
    """
    separator = np.array([tokenizer.endoftext], dtype=id_type(tokenizer.vocab_size))
    workers = os.cpu_count() or 1

    def encode(job: Job) -> np.ndarray:
        return np.concatenate([separator if chunk is None else tokenizer.encode_array(chunk) for chunk in job])

    waiting: deque[tuple[Mark, Future[np.ndarray]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for mark, job in marked:
            waiting.append((mark, pool.submit(encode, job)))
            del job
            # A few in store, so that no core waits for the reading; not more, for all of them are held.
            if len(waiting) > workers + 2:
                mark, first = waiting.popleft()
                yield mark, first.result()
                del first
        while waiting:
            mark, first = waiting.popleft()
            yield mark, first.result()


def safe_chunks(document: Document, size: int = _CHUNK, border: re.Pattern[str] = BORDER) -> Iterator[str]:
    """Cuts a document where no token can reach across.

    A chunk has about ``size`` characters, more where there is no such place for as long. After ``LONGEST`` of them it
    is cut all the same: that is one word of a million letters, which has other tokens then than it would have as a
    whole, and which no machine could take as a whole if it went on.
    """
    rest = ""
    for piece in document:
        for start in range(0, len(piece), size):  # a piece may be a whole book
            looked = max(size, len(rest) - 1)  # what had no border has none now, but for its last character
            rest += piece[start : start + size]
            while place := _place(border, rest, looked, max(size, LONGEST)):
                yield rest[:place]
                rest, looked = rest[place:], size
    if rest:
        yield rest


def _place(border: re.Pattern[str], rest: str, looked: int, longest: int) -> int | None:
    """Where to cut ``rest``; None: more of the text must be seen first. The same however it arrives."""
    found = border.search(rest, looked)
    if found and found.start() <= longest:
        return found.start() if found.start() < len(rest) else None
    return longest if len(rest) > longest + 1 else None


def _whole(document: Document) -> Iterator[str]:
    text = "".join(document)
    return iter([text] if text else [])
