"""What can be trained on: the files in conf/corpus, and texts that were uploaded."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from lab.config.choices import first_sentence, group_choices
from lab.config.corpora import preset
from lab.config.corpus_schema import CorpusConfig, CorpusSource
from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Model, Value
from lab.dashboard.settings import Settings
from lab.data import download, prepare
from lab.errors import LabError
from lab.files.safe_files import entries

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_EXACT_UP_TO = 1 << 20
"""Bytes of text that are counted in tokens at once; of more, the number is estimated."""
_BYTES_A_TOKEN = 4.0
"""Of English prose under GPT-2's vocabulary, about."""

Size = tuple[int, bool]
"""Tokens, and whether they were counted (True) or estimated."""


class CorpusInfo(Model):
    """Something to train on."""

    name: str
    description: str
    source: Literal["bundled", "url", "stdlib", "path", "hf", "grammar", "upload"]
    here: bool = Field(description="Whether it is on this machine; else it is fetched at first use.")
    bytes: int | None
    overrides: dict[str, Value] = Field(description="The options that choose it.")


def listed(settings: Settings) -> list[CorpusInfo]:
    """All of them, the uploaded ones last."""
    found = []
    for name in group_choices("corpus"):
        config = preset(name)
        if not _needs_more(config):
            files = _files_here(config, settings.root)
            found.append(
                CorpusInfo(
                    name=name,
                    description=first_sentence("corpus", name),
                    source=CorpusSource(config.source).value,  # type: ignore[arg-type]
                    here=bool(files) or config.source == CorpusSource.grammar,
                    bytes=sum(file.stat().st_size for file in files) if files else None,
                    overrides={"corpus": name},
                )
            )
    for path in uploaded(settings):
        place = path.relative_to(settings.root).as_posix()
        found.append(
            CorpusInfo(
                name=path.stem,
                description="An uploaded text.",
                source="upload",
                here=True,
                bytes=path.stat().st_size,
                overrides={"corpus": "text", "corpus.path": place},
            )
        )
    return found


def _needs_more(config: CorpusConfig) -> bool:
    """Is it no choice by itself, because a path, a name or parts go with it?"""
    if config.source == CorpusSource.hf:
        return config.dataset is None
    return config.source in (CorpusSource.path, CorpusSource.bin, CorpusSource.mix)


def uploaded(settings: Settings) -> Iterator[Path]:
    """The files of uploaded texts, by name."""
    for entry in sorted(entries(settings.uploads), key=lambda entry: entry.name):
        stem, _, ending = entry.name.rpartition(".")
        if ending == "txt" and _NAME.fullmatch(stem) and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def upload_path(name: str, settings: Settings) -> Path:
    """Where the uploaded text of this name lies, or would.

    Raises:
        ApiError: if that is no name for a text.
    """
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ApiError(
            422, "a name has letters, digits, blanks, dots, dashes or underscores, 64 of them at most", "name"
        )
    return settings.uploads / f"{name}.txt"


def size(config: CorpusConfig, root: Path) -> Size | None:
    """How long a corpus is, if that can be told without fetching it or working long."""
    files = _files_here(config, root)
    if not files:
        return None
    stamps = [file.stat() for file in files]
    n_bytes = sum(stamp.st_size for stamp in stamps)
    if n_bytes > _EXACT_UP_TO:
        return round(n_bytes / _BYTES_A_TOKEN), False
    stamped = tuple((str(f), s.st_mtime_ns, s.st_size) for f, s in zip(files, stamps, strict=True))
    key = (config.document_separator, stamped)
    if key not in _counted:
        try:
            _counted[key] = prepare.tokenize(files, config, root).n_tokens
        except LabError:
            return None
    return _counted[key], True


_counted: dict[tuple[str | None, tuple[tuple[str, int, int], ...]], int] = {}


def _files_here(config: CorpusConfig, root: Path) -> list[Path]:
    """Its files, if they are on this machine."""
    if config.source == CorpusSource.url:
        path = download.corpora_folder() / str(config.path)
        return [path] if path.is_file() else []
    try:
        return prepare.find_corpus(config, root)
    except LabError:
        return []
