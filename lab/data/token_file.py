"""Text to a flat file of token ids, once per text, for any number of runs.

A run reads its windows from a memory map of this file, so that a corpus may be larger than the memory. The file's name
is a hash of the text and the tokenizer: another text is another file, and nothing ever has to be called out of date.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from lab.data import shards, stamps, text_digest
from lab.data.corpus import Document
from lab.data.text_digest import TextDigest, TextFacts
from lab.data.windows import open_tokens
from lab.errors import LabError
from lab.files import atomic, paths, strict_json
from lab.files.validation import parts, text, whole
from lab.terminal import showing
from lab.tokenizers.contract import TextTokenizer, id_type

CACHE_VARIABLE = "LAB_CACHE"
"""Environment variable with the folder of token files."""

_SHOWN = 4 << 20
"""Bytes of text. Of less, the encoding is over before a bar could be read."""

_BLOCK = 1 << 22  # bytes of a token file looked at in one go

_FACTS = {"fingerprint": text(), "n_mentions": whole(), **dict.fromkeys(("n_documents", "n_bytes"), whole(1))}
_TEXT = parts(_FACTS)
_CHECKSUM = whole(0, 2**32 - 1)
_SEEN = parts({"checksum": _CHECKSUM, "largest": whole()})
_DESCRIPTION = parts(
    {**_FACTS, "checksum": _CHECKSUM, "n_tokens": whole(1)}, {"width": whole(2, 4), "n_token_bytes": whole(0, 2**53)}
)


@dataclass(frozen=True)
class Origin:
    """What is known of a text before it is read."""

    name: str = ""
    """Where it comes from, all that is asked of its files included."""
    files: tuple[Path, ...] = ()
    """What it is read from, if that is all: as long as these are the same, so is the text."""
    is_fixed: bool = False
    """Does its name stand for this very text once and for all, so that it need not be read to be known?"""
    n_documents: Callable[[], int | None] = lambda: None
    """How many documents it has, if that can be known; for the progress."""


_UNKNOWN = Origin()


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

    def beside(self, name: str) -> Path:
        """Where something that was found out about these tokens is kept."""
        return cache_folder() / f"{self.fingerprint[:32]}.{name}.json"


def cache_folder() -> Path:
    """Where token files are kept: ``$LAB_CACHE``, else this user's cache folder."""
    return paths.cache_folder(CACHE_VARIABLE, "tokens")


def tokenize(read: Callable[[], Iterator[Document]], tokenizer: TextTokenizer, origin: Origin = _UNKNOWN) -> TokenFile:
    """The token file of a text: found, or made now.

    ``read`` gives the documents from the start each time it is called: once to know the text by its hash, unless it is
    known by its ``origin``, and, if it is new, once more to encode it. Between two documents goes one
    ``<|endoftext|>``.

    Several processes may call this at the same time: one encodes, the others wait for it and use its file. One that is
    killed leaves what it has finished to the next.

    Raises:
        LabError: if the text is empty or the cache cannot be written.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = None if origin.is_fixed else _read_through(read, tokenizer, origin, folder)
        fingerprint = known.fingerprint if known else text_digest.of_name(origin.name, tokenizer)
        path = folder / f"{fingerprint[:32]}.bin"
        with FileLock(path.with_suffix(".lock")):
            found = _read(path, fingerprint, tokenizer)
            return found or _make(path, read, tokenizer, known, origin)
    except OSError as error:
        raise LabError(
            f"the token cache {folder} cannot be used ({error.strerror or error}): "
            f"set {CACHE_VARIABLE} to a folder that can be written to and has room"
        ) from error


def _read_through(
    read: Callable[[], Iterator[Document]], tokenizer: TextTokenizer, origin: Origin, folder: Path
) -> TextFacts:
    """What is known of a text that has been read: now, or when its files were as they are."""

    def find() -> dict[str, object]:
        digest = TextDigest(tokenizer)
        for document in digest.watching(read()):
            for _ in document:
                pass
        _refuse_empty(digest.facts())
        return asdict(digest.facts())

    place = folder / f"text-{text_digest.of_name(origin.name, tokenizer)[:32]}.json"
    return TextFacts(**stamps.once(place, origin.files, _TEXT, find))


def _refuse_empty(facts: TextFacts) -> None:
    if facts.n_bytes == 0:
        raise LabError("corpus: the text is empty, there is nothing to train on; choose a file with some text in it")


def _make(
    path: Path,
    read: Callable[[], Iterator[Document]],
    tokenizer: TextTokenizer,
    known: TextFacts | None,
    origin: Origin,
) -> TokenFile:
    """Encodes a text into ``path``, whose lock we hold."""
    # Of a process killed over this very text.
    atomic.remove_leftovers(path.parent, lambda name: name.startswith(path.stem))
    total, unit = (known.n_bytes, "bytes") if known else (origin.n_documents(), "documents")
    digest = TextDigest(tokenizer)

    def watched() -> Iterator[Document]:
        nonlocal digest
        digest = TextDigest(tokenizer)
        return digest.watching(read())

    is_long = known is None or known.n_bytes > _SHOWN
    with showing("tokenizing", total, unit) if is_long else nullcontext(lambda share: None) as advance:
        written = shards.write(path, watched, tokenizer, lambda n, ends: advance(n if known else ends))
    facts = digest.facts()
    if known is None:
        facts = replace(facts, fingerprint=text_digest.of_name(origin.name, tokenizer))
    elif facts != known:
        shards.discard(path)
        raise LabError("corpus: the text was changed while it was being read; start again")
    if not facts.n_bytes:
        shards.discard(path)
    _refuse_empty(facts)
    # One blank is put in front of the first document, too, which no separator stands before to take it away.
    n_token_bytes = written.n_token_bytes + min(0, int(tokenizer.byte_lengths()[tokenizer.endoftext]))
    made = TokenFile(
        path,
        n_tokens=written.n_tokens,
        checksum=written.checksum,
        width=id_type(tokenizer.vocab_size).itemsize,
        n_token_bytes=n_token_bytes,
        **asdict(facts),
    )
    # The description comes last: a token file without one is not believed.
    atomic.write_json(path.with_suffix(".json"), {**asdict(made), "path": path.name})
    return made


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
        seen = stamps.once(found.beside("seen"), [path], _SEEN, lambda: _look_through(found))
    except (OSError, ValueError, TypeError):
        return None
    # A model has no row for an id beyond its vocabulary, and a GPU looks one up all the same.
    return found if seen["checksum"] == found.checksum and seen["largest"] < tokenizer.vocab_size else None


def _look_through(tokens: TokenFile) -> dict[str, int]:
    checksum = largest = 0
    with tokens.path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
            largest = max(largest, int(np.frombuffer(block, dtype=f"<u{tokens.width}").max()))
    return {"checksum": checksum, "largest": largest}
