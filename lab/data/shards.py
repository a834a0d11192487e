"""The ids of a long text, written shard by shard: what is finished of it outlives the process that made it.

The shards stand one behind the other in one file, so that nothing has to be put together at the end. A journal beside
it says how far they go; what stands behind that is not believed. After a kill, at most one shard is done again.
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, NamedTuple

from lab.data.corpus import Document
from lab.data.encoding import Job, encode_jobs, jobs
from lab.files import atomic, strict_json
from lab.files.validation import parts, text, whole
from lab.tokenizers.contract import TextTokenizer, id_type

SHARD = 64 << 20
"""Bytes of text in a shard: seconds of work."""

_BLOCK = 1 << 22  # bytes checked at a time


@dataclass(frozen=True)
class Written:
    """How far the ids go, and of which text they are."""

    n_jobs: int = 0
    text: str = hashlib.sha256().hexdigest()
    """SHA-256 of the text up to there."""
    n_bytes: int = 0
    n_tokens: int = 0
    checksum: int = 0
    """CRC-32 of the ids."""
    n_token_bytes: int = 0
    """Bytes that the ids stand for."""


_NUMBERS = ("n_jobs", "n_bytes", "n_tokens", "checksum", "n_token_bytes")
_JOURNAL = parts({"text": text(64), **dict.fromkeys(_NUMBERS, whole())})


class _Mark(NamedTuple):
    """Where in the text a job ends."""

    n_jobs: int
    text: str
    n_bytes: int
    n_ends: int
    """Documents that end in it."""


class _OtherTextError(Exception):
    """What is written is not of this text."""


def write(
    path: Path,
    read: Callable[[], Iterator[Document]],
    tokenizer: TextTokenizer,
    advance: Callable[[int, int], None] = lambda n_bytes, n_documents: None,
) -> Written:
    """Encodes the documents into ``path``, where nobody finds anything before all of it is there.

    What an earlier process has finished of them is kept, once its ids are whole and its text has turned out to be the
    beginning of this one. ``advance`` is called with the bytes of text and the ends of documents that are dealt with.

    Raises:
        OSError: if it cannot be written. What is finished stays, for when it can.
    """
    work, journal = path.with_suffix(".partial"), path.with_suffix(".partial.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        written = _go_on(work, journal, _finished(work, journal, tokenizer), read(), tokenizer, advance)
    except _OtherTextError:
        written = _go_on(work, journal, Written(), read(), tokenizer, advance)
    atomic.put(work, path)
    journal.unlink(missing_ok=True)
    return written


def discard(path: Path) -> None:
    """Removes what is written of ``path`` and cannot be used."""
    for file in (path, path.with_suffix(".partial"), path.with_suffix(".partial.json")):
        file.unlink(missing_ok=True)


def _go_on(
    work: Path,
    journal: Path,
    begun: Written,
    documents: Iterator[Document],
    tokenizer: TextTokenizer,
    advance: Callable[[int, int], None],
) -> Written:
    """Encodes what comes behind ``begun``, and says shard by shard how far it has come."""
    width, lengths = id_type(tokenizer.vocab_size), tokenizer.byte_lengths()
    written = noted = begun
    with work.open("r+b" if begun.n_jobs else "wb") as file:
        file.truncate(begun.n_tokens * width.itemsize)
        file.seek(0, os.SEEK_END)
        for mark, ids in encode_jobs(_marked(jobs(documents, tokenizer), begun, advance), tokenizer):
            data = ids.astype(width).tobytes()
            file.write(data)
            advance(mark.n_bytes - written.n_bytes, mark.n_ends)
            n_tokens, stand_for = written.n_tokens + len(ids), written.n_token_bytes + int(lengths[ids].sum())
            written = Written(*mark[:3], n_tokens, zlib.crc32(data, written.checksum), stand_for)
            if written.n_bytes - noted.n_bytes >= SHARD:
                _sync(file)
                atomic.write_json(journal, asdict(written))
                noted = written
        _sync(file)
    return written


def _marked(ahead: Iterator[Job], begun: Written, advance: Callable[[int, int], None]) -> Iterator[tuple[_Mark, Job]]:
    """The jobs behind ``begun``, with where each ends."""
    digest, n_bytes, number = hashlib.sha256(), 0, 0
    for number, job in enumerate(ahead, start=1):
        before = n_bytes
        for chunk in job:
            data = b"\xff" if chunk is None else chunk.encode()  # no UTF-8 text has this byte
            digest.update(data)
            n_bytes += 0 if chunk is None else len(data)
        if number > begun.n_jobs:
            yield _Mark(number, digest.hexdigest(), n_bytes, job.count(None)), job
            continue
        advance(n_bytes - before, job.count(None))
        if number == begun.n_jobs and digest.hexdigest() != begun.text:
            raise _OtherTextError
    if number < begun.n_jobs:
        raise _OtherTextError


def _finished(work: Path, journal: Path, tokenizer: TextTokenizer) -> Written:
    """What an earlier process has finished, if it is whole."""
    with suppress(OSError, ValueError, TypeError):
        found = Written(**_JOURNAL(strict_json.loads(journal.read_bytes()), ""))
        left = found.n_tokens * id_type(tokenizer.vocab_size).itemsize
        checksum = 0
        with work.open("rb") as file:
            while left and (block := file.read(min(left, _BLOCK))):
                checksum = zlib.crc32(block, checksum)
                left -= len(block)
        if not left and checksum == found.checksum:
            return found
    return Written()


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
