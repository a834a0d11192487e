"""The text behind a run, as tokens: found, encoded, and cut into what trains and what validates."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from lab.config import corpora
from lab.config.corpus_schema import CorpusConfig, CorpusSource
from lab.config.schema import DataConfig, TokenizerConfig
from lab.data import (
    bin_tokens,
    corpus,
    download,
    hub_dataset,
    sentences,
    stamps,
    text_files,
    token_counts,
    token_file,
    vocabulary,
)
from lab.data.corpus import Document
from lab.data.token_file import Origin, TokenFile
from lab.data.tree_walk import Found
from lab.data.windows import split_by_position
from lab.errors import LabError
from lab.files import user_code
from lab.files.paths import typed_path
from lab.files.validation import parts, whole
from lab.tokenizer import ENDOFTEXT, Tokenizer
from lab.tokenizers.contract import TextTokenizer


@dataclass(frozen=True)
class Corpus:
    """The text of a run: what it was read from, and what it is for the model."""

    found: Found
    tokens: TokenFile
    tokenizer: TextTokenizer = field(default_factory=Tokenizer)
    measure: TokenFile | None = None
    """GPT-2's tokens of the same text, by which the validation text is measured out; None where it is these."""
    parts: "dict[str, Corpus]" = field(default_factory=dict)
    """Of a mixture, by name. What is said of its tokens is the sum of theirs, and there is no such file."""

    held_out: TokenFile | None = None
    """What validates, where it is a file of its own."""
    note: str | None = None
    """What is to be said of the tokens of another program."""

    def border(self, data: DataConfig) -> int | None:
        """How many of the tokens train, those behind them validate; None: GPT-2's tokens, which ``cut`` can count."""
        if self.measure is None:
            return None
        n_bytes, tokens = _training_bytes(self.measure, data), self.tokens

        def find() -> dict[str, int]:
            return {"border": vocabulary.first_token_from(n_bytes, tokens.open(), self.tokenizer)}

        kept = stamps.once(tokens.beside(f"border-{n_bytes}"), [tokens.path], parts({"border": whole()}), find)
        return int(kept["border"])

    def cut(self, data: DataConfig) -> tuple[np.ndarray, np.ndarray]:
        """``cut``, of this corpus."""
        return cut(self.tokens.open(), data, self.border(data), self.held_out_tokens())

    def held_out_tokens(self) -> np.ndarray | None:
        """What validates, ``(n_tokens,)``, where it is a file of its own."""
        return None if self.held_out is None else self.held_out.open()

    def training_counts(self, train: np.ndarray, val: np.ndarray, vocab_size: int) -> np.ndarray:
        """``(vocab_size,)`` int64: how often each token stands in ``train``, the first of the pieces of ``cut``."""
        return token_counts.of_training(self.tokens, train, 0 if self.held_out else len(val), vocab_size)

    def told(self) -> dict[str, str]:
        """Rows for a table: how much was read, what was not, and what may be meant otherwise than it was taken."""
        documents, files = _number(self.tokens.n_documents, "document"), _number(len(self.found.files), "file")
        # A function of the user's own has no files, nor has a grammar.
        rows = {"read": f"{documents} in {files}, {self.found.n_bytes:,} bytes" if self.found.files else documents}
        if self.found.left_out:
            rows["left out"] = self.found.told()
        if self.note:
            rows["warning"] = self.note
        if self.tokens.n_mentions:
            rows["note"] = (
                f"{ENDOFTEXT} stands in the text {_number(self.tokens.n_mentions, 'time')}, as plain text that ends no "
                f"document; to end one there: corpus.document_separator='{ENDOFTEXT}'"
            )
        if self.tokens.n_token_bytes not in (None, self.tokens.n_bytes):
            rows["warning"] = (
                f"the tokenizer changes this text: its tokens stand for {self.tokens.n_token_bytes:,} bytes, and the "
                f"text has {self.tokens.n_bytes:,}; bits per byte are off by as much"
            )
        return rows


def _number(n: int, of: str) -> str:
    return f"{n:,} {of}{'' if n == 1 else 's'}"


def find_corpus(config: CorpusConfig, start_folder: Path) -> list[Path]:
    """The files of a corpus, in their fixed order, fetched if they have to be.

    Raises:
        LabError: if they are not there and cannot be had.
    """
    return _find(config, start_folder).files


def _find(config: CorpusConfig, start_folder: Path) -> Found:
    match config.source:
        case CorpusSource.bundled:
            return text_files.find(str(config.path), corpus.bundled_folder())
        case CorpusSource.url:
            return _all_of([download.fetch(str(config.url), str(config.path), str(config.sha256))])
        case CorpusSource.stdlib:
            return _all_of(corpus.stdlib_files())
        case CorpusSource.path:
            caches = (token_file.cache_folder(), download.corpora_folder())
            return text_files.find(str(config.path), start_folder, caches)
        case CorpusSource.bin:
            return _all_of([typed_path(path, start_folder).absolute() for path in _bin_paths(config)])
        case _:
            return Found()  # a function of the user's own, a dataset of the hub, a grammar


def _all_of(files: list[Path]) -> Found:
    return Found(files, sum(file.stat().st_size for file in files))


def anchor(config: CorpusConfig, start_folder: Path) -> None:
    """Makes the path of a text of one's own absolute, and settles the revision of a dataset. They are kept with the
    run, and read again from other folders, where another file may have that name, and on other days."""
    if config.source in (CorpusSource.path, CorpusSource.bin):
        config.path = corpora.anchored(str(config.path), start_folder)
    if config.val_path is not None:
        config.val_path = corpora.anchored(config.val_path, start_folder)
    if config.source == CorpusSource.hf:
        hub_dataset.settle(config, start_folder)
    if config.parts is not None:
        config.parts = [corpora.anchor_part(entry, start_folder) for entry in config.parts]


def read_corpus(config: CorpusConfig, start_folder: Path, tokenizer: TextTokenizer | None = None) -> Corpus:
    """The corpus: fetched, read and encoded at first use, from then on only looked up. By GPT-2's tokenizer, unless
    there is another.

    Raises:
        LabError: if it is not there, cannot be read or is no text.
    """
    tokenizer = tokenizer or Tokenizer()
    if config.source == CorpusSource.mix:
        of_mixture = corpora.parts_of(config).items()
        return _together({name: read_corpus(part, start_folder, tokenizer) for name, part in of_mixture})
    if config.source == CorpusSource.bin:
        return _read_bin(config, start_folder, tokenizer)
    found = _find(config, start_folder)
    gpt2 = tokenize(found.files, config, start_folder)
    if tokenizer.name == Tokenizer.name:
        return Corpus(found, gpt2)
    return Corpus(found, tokenize(found.files, config, start_folder, tokenizer), tokenizer, gpt2)


def _read_bin(config: CorpusConfig, start_folder: Path, tokenizer: TextTokenizer) -> Corpus:
    train, *val = (bin_tokens.open_file(path, config.dtype, start_folder, tokenizer) for path in _bin_paths(config))
    found = _find(config, start_folder)
    return Corpus(found, train, tokenizer, held_out=val[0] if val else None, note=bin_tokens.note(train.path))


def _bin_paths(config: CorpusConfig) -> list[str]:
    return [path for path in (config.path, config.val_path) if path]


def _together(parts: dict[str, Corpus]) -> Corpus:
    """A mixture as one corpus."""
    found, digest = Found(), hashlib.sha256()
    for name, part in parts.items():
        found = Found(
            found.files + part.found.files,
            found.n_bytes + part.found.n_bytes,
            dict(Counter(found.left_out) + Counter(part.found.left_out)),
            {**part.found.examples, **found.examples},
        )
        digest.update(f"{name} {part.tokens.fingerprint} ".encode())
    files = [part.tokens for part in parts.values()]
    sums = {name: sum(getattr(file, name) for file in files) for name in ("n_documents", "n_bytes", "n_mentions")}
    changed = any(file.n_token_bytes is not None for file in files)
    tokens = TokenFile(
        Path(),
        digest.hexdigest(),
        sum(file.n_tokens for file in files),
        **sums,
        checksum=0,
        n_token_bytes=sum(file.n_token_bytes or file.n_bytes for file in files) if changed else None,
    )
    return Corpus(found, tokens, next(iter(parts.values())).tokenizer, parts=parts)


def make_tokenizer(config: TokenizerConfig, of: CorpusConfig, data: DataConfig, start_folder: Path) -> TextTokenizer:
    """The tokenizer of the options; a vocabulary that is to be learnt is that of the training text of ``of``.

    Raises:
        LabError: if it cannot be had, or the corpus can't.
    """
    if (ready := vocabulary.given(config, start_folder)) is not None:
        return ready
    return vocabulary.learnt(config, _learnable(config, of, data, start_folder))


def _learnable(
    config: TokenizerConfig, of: CorpusConfig, data: DataConfig, start_folder: Path
) -> vocabulary.TrainingText:
    """The text of ``of`` that is for training; of a mixture, that of its parts."""
    if of.source == CorpusSource.mix:
        each = corpora.parts_of(of).values()
        return vocabulary.joined([_learnable(config, part, data, start_folder) for part in each])
    if of.source == CorpusSource.bin:
        raise LabError(
            f"tokenizer={config.name.name} is learnt from a text, and corpus=bin has none: name the tokenizer that its "
            "tokens were made with, gpt2, bytes or hf"
        )
    files = find_corpus(of, start_folder)
    gpt2 = tokenize(files, of, start_folder)
    n_bytes = _training_bytes(gpt2, data)
    return vocabulary.TrainingText(lambda: _documents(files, of, start_folder), n_bytes, gpt2.fingerprint)


def _training_bytes(gpt2: TokenFile, data: DataConfig) -> int:
    """How many bytes stand in front of the validation text, which GPT-2's tokens measure out."""
    n_tokens = split_by_position(gpt2.n_tokens, data.val_fraction, data.max_val_tokens)

    def find() -> dict[str, int]:
        return {"n_bytes": vocabulary.bytes_of(gpt2.open()[:n_tokens], Tokenizer().byte_lengths())}

    kept = stamps.once(gpt2.beside(f"bytes-{n_tokens}"), [gpt2.path], parts({"n_bytes": whole()}), find)
    return int(kept["n_bytes"])


def tokenize(
    files: list[Path], config: CorpusConfig, start_folder: Path, tokenizer: TextTokenizer | None = None
) -> TokenFile:
    """The files of a corpus as a file of tokens, GPT-2's unless there is another tokenizer."""
    origin = _origin(files, config, start_folder)
    return token_file.tokenize(lambda: _documents(files, config, start_folder), tokenizer or Tokenizer(), origin)


def _origin(files: list[Path], config: CorpusConfig, start_folder: Path) -> Origin:
    if config.source == CorpusSource.hf:
        return hub_dataset.origin(config, start_folder)
    asked = (config.document_separator, config.column, config.max_documents)
    return Origin(repr((*map(str, files), *asked)), tuple(files))


def _documents(files: list[Path], config: CorpusConfig, start_folder: Path) -> Iterator[Document]:
    if user_code.is_reference(config.source):
        found = corpus.own_documents(config.source)
    elif config.source == CorpusSource.hf:
        found = corpus.apart(hub_dataset.documents(config, start_folder), config.document_separator)
    elif config.source == CorpusSource.grammar:
        assert config.seed is not None
        assert config.documents is not None
        found = (iter([text]) for text in sentences.documents(config.seed, config.documents))
    else:
        found = corpus.documents(files, config.document_separator, config.column)
    return islice(found, config.max_documents)


def tokenized_corpus(config: CorpusConfig, start_folder: Path) -> TokenFile:
    """As ``read_corpus``, the tokens alone."""
    return read_corpus(config, start_folder).tokens


def cut(
    tokens: np.ndarray, config: DataConfig, border: int | None = None, held_out: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation tokens, two ``(n,)`` pieces of ``tokens`` that share nothing, however short they are.
    ``border`` is ``Corpus.border``; None: ``tokens`` are GPT-2's. ``held_out``: what validates instead of their end."""
    if held_out is not None:
        train, val = tokens, held_out[: config.max_val_tokens]
    else:
        if border is None:
            border = split_by_position(len(tokens), config.val_fraction, config.max_val_tokens)
        train, val = tokens[:border], tokens[border:]
    if config.max_train_tokens is not None:
        # The piece next to the validation text, so that "little data" does not also mean "another part of the book".
        train = train[-config.max_train_tokens :]
    return train, val


def split(
    tokens: np.ndarray,
    config: DataConfig,
    context_length: int,
    border: int | None = None,
    held_out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """As ``cut``, for a run: each piece is long enough to be used.

    Raises:
        LabError: if either is too small to be used.
    """
    train, val = cut(tokens, config, border, held_out)
    if len(train) > context_length and len(val) > 1:
        return train, val
    border = border if held_out is None else len(tokens)  # no share of them validates
    ways = " ".join(_that_fit(tokens, config, context_length, border))
    wrong = []
    if len(train) <= context_length:
        wrong.append(
            f"{len(train):,} are for training, where a window of model.context_length={context_length} needs "
            f"{context_length + 1:,}"
        )
    if len(val) < 2:
        wrong.append(f"data.val_fraction={config.val_fraction:g} leaves {len(val)} for validation, where 2 are needed")
    raise LabError(
        f"the corpus is too small: of its {len(tokens):,} tokens {', and '.join(wrong)}; choose a longer text"
        f"{f', or {ways}' if ways else ''}"
    )


def _that_fit(tokens: np.ndarray, config: DataConfig, context_length: int, border: int | None) -> list[str]:
    """The options, as few as can be, with which a text that is too small is long enough; none if there are none."""
    # At most two tokens of the text are needed for validation, in hundredths that are easy to type.
    least = next((i / 100 for i in range(1, 100) if int(len(tokens) * (i / 100)) > 1), config.val_fraction)
    for val_fraction in dict.fromkeys((config.val_fraction, least)):
        words = [] if val_fraction == config.val_fraction else [f"data.val_fraction={val_fraction:g}"]
        if border is not None and val_fraction != config.val_fraction:
            continue  # where that would put the border is a question to the text
        train, val = cut(tokens, replace(config, val_fraction=val_fraction), border)
        room = len(tokens) - len(val)
        if len(val) < 2 or room < 2:
            continue
        n_train, length = len(train), context_length
        if room > context_length >= len(train):
            n_train = context_length + 1
            words.append(f"data.max_train_tokens={n_train}")
        elif len(train) <= context_length:
            length = 2 ** ((len(train) - 1).bit_length() - 1)
            words.append(f"model.context_length={length}")
        windows = (n_train - length - 1) // (config.stride or length) + 1
        return [*words, f"data.batch_size={windows}"] if windows < config.batch_size else words
    return []
