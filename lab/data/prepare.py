"""The text behind a run, as tokens: found, encoded, and cut into what trains and what validates."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lab.config import corpora
from lab.config.schema import CorpusConfig, CorpusSource, DataConfig, TokenizerConfig
from lab.data import corpus, download, sentences, text_files, token_file, vocabulary
from lab.data.corpus import Document
from lab.data.token_file import TokenFile
from lab.data.tree_walk import Found
from lab.data.windows import split_by_position
from lab.errors import LabError
from lab.files import user_code
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

    def border(self, data: DataConfig) -> int | None:
        """How many of the tokens train, those behind them validate; None: GPT-2's tokens, which ``cut`` can count."""
        if self.measure is None:
            return None
        return vocabulary.first_token_from(_training_bytes(self.measure, data), self.tokens.open(), self.tokenizer)

    def told(self) -> dict[str, str]:
        """Rows for a table: how much was read, what was not, and what may be meant otherwise than it was taken."""
        documents, files = _number(self.tokens.n_documents, "document"), _number(len(self.found.files), "file")
        # A function of the user's own has no files, nor has a grammar.
        rows = {"read": f"{documents} in {files}, {self.found.n_bytes:,} bytes" if self.found.files else documents}
        if self.found.left_out:
            rows["left out"] = self.found.told()
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
        case _:
            return Found()  # a function of the user's own, or a grammar


def _all_of(files: list[Path]) -> Found:
    return Found(files, sum(file.stat().st_size for file in files))


def anchor(config: CorpusConfig, start_folder: Path) -> None:
    """Makes the path of a text of one's own absolute. It is kept with the run, and read again from other folders, where
    another file may have that name."""
    if config.source == CorpusSource.path:
        config.path = corpora.anchored(str(config.path), start_folder)
    if config.parts is not None:
        config.parts = [corpora.anchor_part(entry, start_folder) for entry in config.parts]


def read_corpus(config: CorpusConfig, start_folder: Path, tokenizer: TextTokenizer | None = None) -> Corpus:
    """The corpus: fetched, read and encoded at first use, from then on only looked up. By GPT-2's tokenizer, unless
    there is another.

    Raises:
        LabError: if it is not there, cannot be read or is no text.
    """
    if config.source == CorpusSource.mix:
        parts = corpora.parts_of(config).items()
        return _together({name: read_corpus(part, start_folder, tokenizer) for name, part in parts})
    found = _find(config, start_folder)
    gpt2 = tokenize(found.files, config)
    if tokenizer is None or tokenizer.name == Tokenizer.name:
        return Corpus(found, gpt2)
    return Corpus(found, tokenize(found.files, config, tokenizer), tokenizer, gpt2)


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
    return vocabulary.learnt(config, *_learnable(of, data, start_folder))


def _learnable(of: CorpusConfig, data: DataConfig, start_folder: Path) -> tuple[vocabulary.Read, int]:
    """The text of ``of``, and how many bytes at its beginning are for training; of a mixture, that of its parts."""
    if of.source == CorpusSource.mix:
        each = [_learnable(part, data, start_folder) for part in corpora.parts_of(of).values()]
        return lambda: (vocabulary.first_bytes(*one) for one in each), sum(n_bytes for _, n_bytes in each)
    files = find_corpus(of, start_folder)
    return lambda: _documents(files, of), _training_bytes(tokenize(files, of), data)


def _training_bytes(gpt2: TokenFile, data: DataConfig) -> int:
    """How many bytes stand in front of the validation text, which GPT-2's tokens measure out."""
    n_tokens = split_by_position(gpt2.n_tokens, data.val_fraction, data.max_val_tokens)
    return vocabulary.bytes_before(gpt2.open(), Tokenizer().byte_lengths(), n_tokens)


def tokenize(files: list[Path], config: CorpusConfig, tokenizer: TextTokenizer | None = None) -> TokenFile:
    """The files of a corpus as a file of tokens, GPT-2's unless there is another tokenizer."""
    return token_file.tokenize(lambda: _documents(files, config), tokenizer or Tokenizer())


def _documents(files: list[Path], config: CorpusConfig) -> Iterator[Document]:
    if user_code.is_reference(config.source):
        return corpus.own_documents(config.source)
    if config.source == CorpusSource.grammar:
        assert config.seed is not None
        assert config.documents is not None
        return (iter([text]) for text in sentences.documents(config.seed, config.documents))
    return corpus.documents(files, config.document_separator)


def tokenized_corpus(config: CorpusConfig, start_folder: Path) -> TokenFile:
    """As ``read_corpus``, the tokens alone."""
    return read_corpus(config, start_folder).tokens


def cut(tokens: np.ndarray, config: DataConfig, border: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation tokens, two ``(n,)`` pieces of ``tokens`` that share nothing, however short they are.
    ``border`` is ``Corpus.border``; None: ``tokens`` are GPT-2's."""
    if border is None:
        border = split_by_position(len(tokens), config.val_fraction, config.max_val_tokens)
    train, val = tokens[:border], tokens[border:]
    if config.max_train_tokens is not None:
        # The piece next to the validation text, so that "little data" does not also mean "another part of the book".
        train = train[-config.max_train_tokens :]
    return train, val


def split(
    tokens: np.ndarray, config: DataConfig, context_length: int, border: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """As ``cut``, for a run: each piece is long enough to be used.

    Raises:
        LabError: if either is too small to be used.
    """
    train, val = cut(tokens, config, border)
    if len(train) > context_length and len(val) > 1:
        return train, val
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
