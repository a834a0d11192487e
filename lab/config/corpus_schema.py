"""The options of a corpus: where a text comes from, and what makes documents of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lab.config.docs import MISSING
from lab.errors import LabError, shown


class CorpusSource(StrEnum):
    """Where a corpus comes from."""

    bundled = "bundled"
    """A folder in corpora/."""
    url = "url"
    """Fetched at first use, checked by its SHA-256."""
    stdlib = "stdlib"
    """The running Python's standard library."""
    path = "path"
    """Files of the user's own."""
    hf = "hf"
    """A dataset of the Hugging Face hub, streamed."""
    bin = "bin"
    """Token ids that another program has written."""
    grammar = "grammar"
    """Written by a grammar, as much as is asked for; see lab/data/sentences.py."""
    mix = "mix"
    """Several others, each with its share; see lab/data/mixture.py."""


ID_FORMATS = {"uint16": 2, "uint32": 4}
"""Number formats of token ids in a file, and their bytes."""


@dataclass
class CorpusConfig:
    """The text to train on."""

    name: str = MISSING
    """What the corpus is called in summaries and results."""
    source: str = MISSING
    """bundled, url, stdlib, path, hf, bin, grammar, mix, or a function of one's own that yields texts, as
    FILE.py:NAME."""
    path: str | None = None
    """File, folder (its .txt .md .py .jsonl .ndjson .parquet files, also with .gz or .zst behind) or glob pattern;
    relative to where the command is typed. A document is a file, a JSON line with a "text", an element of the array in
    a .json file, or a row of a .parquet file. With corpus=bin: a file of token ids."""
    column: str = "text"
    """The column of a .parquet file or a dataset, or the field of a JSON object, that the text is in."""
    max_documents: int | None = None
    """Of how many documents the text is taken, from the first on; null: of all."""
    dataset: str | None = None
    """hf only: what the dataset is called on the hub, or a folder with one; null: as corpus.name says."""
    config_name: str | None = None
    """hf only: which configuration of the dataset; null: the only one."""
    split: str = "train"
    """hf only: which split of the dataset."""
    revision: str | None = None
    """hf only: branch, tag or commit of the dataset; null: the newest, which is then kept with the run."""
    val_path: str | None = None
    """bin only: a file of token ids to validate with; null: the end of corpus.path."""
    dtype: str = field(default="uint16", metadata={"choices": tuple(ID_FORMATS)})
    """bin only: the number format of an id, uint16 or uint32, little endian."""
    url: str | None = None
    """Where the file is fetched from."""
    sha256: str | None = None
    """What the fetched file must hash to."""
    document_separator: str | None = None
    """Text that ends a document wherever it stands, such as `<|endoftext|>`, with a line break after it; null: none."""
    seed: int | None = None
    """grammar only: which texts it writes."""
    documents: int | None = None
    """grammar only: how many texts, of some 200 characters each. More of them begin with the same."""
    parts: list[Any] | None = None
    """mix only: names of corpora, paths, or groups of options such as {corpus:grammar,seed:7}. Each part is cut into
    training and validation by itself, as data.val_fraction= and the like say."""
    weights: list[float] | None = None
    """mix only: what the share of each part in the training windows is in proportion to; null: their number."""


def check_corpus(corpus: CorpusConfig) -> None:
    """The rules that concern several options of a corpus.

    Raises:
        LabError: if one is broken.
    """
    _check_own_options(corpus)
    if corpus.source == CorpusSource.path and not corpus.path:
        raise LabError("corpus=text needs a text: add corpus.path=FILE, a folder, or a pattern such as 'notes/*.md'")
    if corpus.source == CorpusSource.bin and not corpus.path:
        raise LabError("corpus=bin needs a file of token ids: add corpus.path=train.bin, and corpus.val_path=val.bin")
    if corpus.source == CorpusSource.hf and not corpus.dataset and corpus.name == CorpusSource.hf:
        raise LabError("corpus=hf needs a dataset: add corpus.name=OWNER/NAME, as it is called on the hub")
    if corpus.document_separator == "":
        raise LabError("corpus.document_separator= is empty: give the text that ends a document, or null for none")
    if corpus.dtype not in ID_FORMATS:
        raise LabError(f"corpus.dtype={shown(corpus.dtype)} does not fit: choose one of {', '.join(ID_FORMATS)}")
    if corpus.source == CorpusSource.url and not (corpus.url and corpus.sha256):
        raise LabError("corpus.source=url needs to know what to fetch: give corpus.url= and corpus.sha256=")


def _check_own_options(corpus: CorpusConfig) -> None:
    """Those that only one kind of corpus has."""
    for name, source in (("seed", "grammar"), ("documents", "grammar"), ("parts", "mix"), ("weights", "mix")):
        if getattr(corpus, name) is not None and corpus.source != source:
            raise LabError(f"corpus.{name}= goes with corpus={source}: leave it out")
        if getattr(corpus, name) is None and source == corpus.source == CorpusSource.grammar:
            raise LabError(f"corpus=grammar needs corpus.{name}=: give a whole number, or leave it out for its default")
