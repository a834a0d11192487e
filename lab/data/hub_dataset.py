"""Text datasets of the Hugging Face hub, streamed: a document a row, nothing kept but the tokens."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lab.config.corpus_schema import CorpusConfig
from lab.data import corpus
from lab.data.compressed import library
from lab.data.corpus import Document
from lab.data.token_file import Origin, cache_folder
from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.validation import said

_COMMIT = re.compile(r"[0-9a-f]{40}")


def documents(config: CorpusConfig, start_folder: Path) -> Iterator[Document]:
    """The rows of a dataset's column, each a document.

    Raises:
        LabError: if it cannot be had, or has no such configuration, split or column of text.
    """
    name, column = dataset(config), config.column
    local = _local(name, start_folder)
    rows = _opened(config, str(local) if local else name)
    number = 0
    iterator = iter(rows)
    while True:
        try:
            row = next(iterator, None)
        except Exception as error:
            raise _cannot_be_had(config, error) from error
        if row is None:
            return
        number += 1
        if column not in row:
            known = ", ".join(map(str, row))
            raise LabError(f"the dataset {name} has no column {column}: give corpus.column=, one of {known:.200}")
        if not isinstance(text := row[column], str):
            raise LabError(
                f"the dataset {name}, row {number}: the column {column} is {said(text)}, and must be a text: give "
                "another corpus.column="
            )
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise LabError(f"the dataset {name}, row {number}: half of a character stands in the text") from None
        yield corpus.in_pieces(text)


def dataset(config: CorpusConfig) -> str:
    """What the dataset is called on the hub."""
    return config.dataset or config.name


def settle(config: CorpusConfig, start_folder: Path) -> None:
    """Gives the dataset its revision, the commit on the hub, which is kept with the run: what stands under it never
    changes. Without a network, the one that was found last. A folder gets its absolute path.

    Raises:
        LabError: if there never was one.
    """
    if (local := _local(dataset(config), start_folder)) is not None:
        config.dataset = str(local)
        return
    if _COMMIT.fullmatch(config.revision or ""):
        return
    asked = hashlib.sha256(f"{dataset(config)} {config.revision}".encode()).hexdigest()
    place = cache_folder() / f"hub-{asked[:32]}.txt"
    if find_spec("datasets") is None:  # it will be needed; and it is imported only where there is something to stream
        library("datasets", "corpus=hf")
    hub = library("huggingface_hub", "corpus=hf")
    try:
        found = str(hub.HfApi().dataset_info(dataset(config), revision=config.revision, timeout=20).sha)
    except Exception as error:
        with suppress(OSError):
            found = place.read_text(encoding="utf-8")
            if _COMMIT.fullmatch(found):
                config.revision = found
                return
        raise _cannot_be_had(config, error) from error
    with suppress(OSError):
        atomic.write_text(place, found)
    config.revision = found


def origin(config: CorpusConfig, start_folder: Path) -> Origin:
    """What is known of the text before it is streamed. By its revision it is known for good, and need be streamed but
    once."""
    name = dataset(config)
    asked = (config.config_name, config.split, config.column, config.max_documents, config.document_separator)
    if (local := _local(name, start_folder)) is not None:
        files = tuple(sorted(file for file in local.rglob("*") if file.is_file())) if local.is_dir() else (local,)
        return Origin(repr(("hf", str(local), *asked)), files)
    settle(config, start_folder)
    return Origin(repr(("hf", name, config.revision, *asked)), is_fixed=True, n_documents=lambda: _n_documents(config))


def _opened(config: CorpusConfig, name: str) -> Any:
    datasets = library("datasets", "corpus=hf")
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    try:
        found = datasets.load_dataset(
            name, config.config_name, split=config.split, streaming=True, revision=config.revision
        )
        return found.select_columns([config.column]) if config.column in (found.column_names or ()) else found
    except Exception as error:
        raise _cannot_be_had(config, error) from error


def _n_documents(config: CorpusConfig) -> int | None:
    """As far as the hub's own description of the dataset says; no reason to fail."""
    with suppress(Exception):
        described = _opened(config, dataset(config)).info.splits[config.split].num_examples
        return min(described, config.max_documents or described) or config.max_documents
    return config.max_documents


def _cannot_be_had(config: CorpusConfig, error: Exception) -> LabError:
    if isinstance(error, LabError):
        return error
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return LabError(
        f"the dataset {dataset(config)} cannot be had ({reason}): look at corpus.name=, "
        "corpus.config_name=, corpus.split= and the network"
    )


def _local(name: str, start_folder: Path) -> Path | None:
    """A dataset in a folder of the user's own, if it is one."""
    path = typed_path(name, start_folder).absolute()
    return path if path.exists() else None
