"""Text to a flat file of token ids, once per text, for any number of runs.

A run reads its windows from a memory map of this file, so that a corpus may be larger than the memory. The file's name
is a hash of the text and the tokenizer: another text is another file, and nothing ever has to be called out of date.
"""

import hashlib
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from lab.data.corpus import Document
from lab.data.windows import open_tokens
from lab.errors import LabError
from lab.files import atomic, paths, strict_json
from lab.files.validation import parts, text, whole
from lab.tokenizer import BORDER, ENDOFTEXT
from lab.tokenizers.contract import TextTokenizer, id_type

CACHE_VARIABLE = "LAB_CACHE"
"""Environment variable with the folder of token files."""

_FORMAT = 1  # goes into the hash: files of an older layout are simply not found any more
_CHUNK = 1 << 20  # characters encoded at a time by one core

T = TypeVar("T")


_DESCRIPTION = parts(
    {
        "fingerprint": text(),
        "checksum": whole(0, 2**32 - 1),
        "n_mentions": whole(),
        **dict.fromkeys(("n_tokens", "n_documents", "n_bytes"), whole(1)),
    },
    {"width": whole(2, 4), "n_token_bytes": whole(0, 2**53)},
)


@dataclass(frozen=True)
class TokenFile:
    """A tokenized corpus: ``n_tokens`` ids in ``path``, little endian, nothing else in the file."""

    path: Path
    fingerprint: str
    """SHA-256 over the text and the tokenizer's fingerprint."""
    n_tokens: int
    n_documents: int
    n_bytes: int
    """Length of the text in UTF-8, separators not counted."""
    n_mentions: int
    """How often the text mentions ``<|endoftext|>``: typed out, it separates nothing."""
    checksum: int
    """CRC-32 of the file."""
    width: int = 2
    """Bytes of an id: 2, or 4 where the vocabulary has more than 65,536 tokens."""
    n_token_bytes: int | None = None
    """Bytes that the tokens stand for. Those of the text, unless the tokenizer has changed it."""

    def open(self) -> np.memmap:
        """The tokens, ``(n_tokens,)`` uint16 or uint32, mapped read-only."""
        return open_tokens(self.path, width=self.width)


def cache_folder() -> Path:
    """Where token files are kept: ``$LAB_CACHE``, else this user's cache folder."""
    return paths.cache_folder(CACHE_VARIABLE, "tokens")


def tokenize(read: Callable[[], Iterator[Document]], tokenizer: TextTokenizer) -> TokenFile:
    """The token file of a text: found, or made now.

    ``read`` gives the documents from the start each time it is called: once to know the text by its hash and, if it is
    new, once more to encode it. Between two documents goes one ``<|endoftext|>``.

    Several processes may call this at the same time: one encodes, the others wait for it and use its file.

    Raises:
        LabError: if the text is empty or the cache cannot be written.
    """
    text = _Fingerprint(tokenizer)
    for document in text.watching(read()):
        for _ in document:
            pass
    if text.n_bytes == 0:
        raise LabError("corpus: the text is empty, there is nothing to train on; choose a file with some text in it")
    fingerprint, n_bytes, n_documents, n_mentions = text.hexdigest(), text.n_bytes, text.n_documents, text.n_mentions
    folder = cache_folder()
    path = folder / f"{fingerprint[:32]}.bin"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{fingerprint[:32]}.lock"):
            found = _read(path, fingerprint, tokenizer)
            if found is not None:
                return found
            # Of a process killed over this very text: we hold its lock.
            atomic.remove_leftovers(folder, path.name.__eq__)
            text = _Fingerprint(tokenizer)
            written = _write(path, text.watching(read()), n_bytes, tokenizer)
            if text.hexdigest() != fingerprint:
                path.unlink()
                raise LabError("corpus: the text was changed while it was being read; start again")
            made = TokenFile(
                path, fingerprint, n_documents=n_documents, n_bytes=n_bytes, n_mentions=n_mentions, **written
            )
            # The description comes last: a token file without one is not believed.
            atomic.write_json(path.with_suffix(".json"), {**asdict(made), "path": path.name})
            return made
    except OSError as error:
        raise LabError(
            f"the token cache {folder} cannot be used ({error.strerror or error}): "
            f"set {CACHE_VARIABLE} to a folder that can be written to and has room"
        ) from error


def encode_documents(documents: Iterable[Document], tokenizer: TextTokenizer) -> Iterator[np.ndarray]:
    """Token ids of all documents, ``(n,)`` piece by piece, on all cores, and in bounded memory where the tokenizer says
    where a document may be cut; else a document at a time.

    Token for token the same as encoding each document in one go. The libraries set the interpreter free while they
    encode, so that threads really run side by side.
    """
    separator = np.array([tokenizer.endoftext], dtype=id_type(tokenizer.vocab_size))
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:

        def jobs() -> Iterator[Future[np.ndarray]]:
            first = True
            for document in documents:
                empty = True
                for chunk in _whole(document) if tokenizer.border is None else safe_chunks(document):
                    if empty and not first:
                        yield pool.submit(lambda: separator)
                    empty = first = False
                    yield pool.submit(tokenizer.encode_array, chunk)

        for future in _ahead(jobs(), 2 * workers):
            yield future.result()


def safe_chunks(document: Document, size: int = _CHUNK) -> Iterator[str]:
    """Cuts a document where no token can reach across (see ``tokenizer.BORDER``).

    A chunk has about ``size`` characters, more only if there is no such place for as long.
    """
    rest = ""
    for piece in document:
        for start in range(0, len(piece), size):  # a piece may be a whole book
            looked = max(size, len(rest) - 1)  # what had no border has none now, but for its last character
            rest += piece[start : start + size]
            while border := BORDER.search(rest, looked):
                yield rest[: border.start()]
                rest, looked = rest[border.start() :], size
    if rest:
        yield rest


def _whole(document: Document) -> Iterator[str]:
    text = "".join(document)
    return iter([text] if text else [])


def _ahead(jobs: Iterator[T], depth: int) -> Iterator[T]:
    """The jobs in order, with up to ``depth`` of them begun before the first is asked for, and never more."""
    waiting: deque[T] = deque()
    for job in jobs:
        waiting.append(job)
        if len(waiting) >= depth:
            yield waiting.popleft()
    yield from waiting


class _Fingerprint:
    """SHA-256 of a text, and of what makes tokens of it, taken while the text passes by."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._digest = hashlib.sha256(f"{tokenizer.fingerprint} {_FORMAT}".encode())
        self.n_bytes = 0
        self.n_documents = 0
        self.n_mentions = 0

    def watching(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The same documents; each must be read to its end before the next."""
        for document in documents:
            before = self.n_bytes
            yield self._pieces(document)
            if self.n_bytes > before:
                self._digest.update(b"\xff")  # no UTF-8 text contains this byte: "a" + "b" and "ab" differ
                self.n_documents += 1

    def _pieces(self, document: Document) -> Document:
        end = ""  # of the pieces before, too short for a whole mention
        for piece in document:
            end += piece
            self.n_mentions += end.count(ENDOFTEXT)
            end = end[1 - len(ENDOFTEXT) :]
            data = piece.encode("utf-8")
            self._digest.update(data)
            self.n_bytes += len(data)
            yield piece

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _write(path: Path, documents: Iterator[Document], n_bytes: int, tokenizer: TextTokenizer) -> dict[str, int]:
    """Encodes everything into ``path``, atomically. Returns what the ``TokenFile`` is to say of it."""
    n_tokens = checksum = n_token_bytes = 0
    width = id_type(tokenizer.vocab_size)
    console = Console(stderr=True)
    # Below a few megabytes it is over before a bar could be read.
    show = console.is_terminal and n_bytes > 4 << 20
    if n_bytes > 4 << 20 and not show:
        print(f"tokenizing {n_bytes / 1e6:.0f} MB of text, once", file=console.file, flush=True)
    columns = (TextColumn("tokenizing"), BarColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    lengths = tokenizer.byte_lengths()
    with atomic.writing(path) as file, Progress(*columns, console=console, transient=True, disable=not show) as bar:
        task = bar.add_task("", total=n_bytes)
        for ids in encode_documents(documents, tokenizer):
            data = ids.astype(width).tobytes()
            file.write(data)
            checksum = zlib.crc32(data, checksum)
            n_tokens += len(ids)
            stand_for = int(lengths[ids].sum())
            n_token_bytes += stand_for
            bar.advance(task, stand_for)
    found = {"n_tokens": n_tokens, "checksum": checksum, "width": width.itemsize}
    # One blank is put in front of the first document, too, which no separator stands before to take it away.
    return {**found, "n_token_bytes": n_token_bytes + min(0, int(lengths[tokenizer.endoftext]))}


def _read(path: Path, fingerprint: str, tokenizer: TextTokenizer) -> TokenFile | None:
    """The token file at ``path`` if it is whole and is what its description says; None if it must be made anew."""
    try:
        fields = strict_json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        _DESCRIPTION(fields, "")
        found = TokenFile(**{**fields, "path": path})
        width = id_type(tokenizer.vocab_size)
        if found.fingerprint != fingerprint or found.width != width.itemsize:
            return None
        if path.stat().st_size != found.width * found.n_tokens:
            return None
        checksum = largest = 0
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                checksum = zlib.crc32(block, checksum)
                largest = max(largest, int(np.frombuffer(block, dtype=width).max()))
    except (OSError, ValueError, TypeError):
        return None
    # A model has no row for an id beyond its vocabulary, and a GPU looks one up all the same.
    return found if checksum == found.checksum and largest < tokenizer.vocab_size else None
