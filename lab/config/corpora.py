"""The corpora of ``conf/corpus`` as options, and the parts of a mixture of them."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.config.choices import CONF_FOLDER, group_choices
from lab.config.corpus_schema import CorpusConfig, CorpusSource
from lab.config.limits import LIMITS
from lab.errors import LabError, shown
from lab.files.paths import typed_path

OWN_OPTIONS = ("path", "document_separator", "seed", "documents")
"""What can be said of a part beside its name."""
_NO_PARTS = ("mix", "hf", "bin")
"""Corpora that no part can be: one of them has parts of its own, the others need to be told more."""
_EXAMPLE = "corpus.parts=[fables,verdict]"


def preset(name: str) -> CorpusConfig:
    """The options of a file in ``conf/corpus``."""
    found = yaml.safe_load((CONF_FOLDER / "corpus" / f"{name}.yaml").read_text(encoding="utf-8"))
    return CorpusConfig(**{**found, "source": CorpusSource[found["source"]].value})


def anchored(path: str, start_folder: Path) -> str:
    """A path as one that can be read from other folders, too, where another file may have that name."""
    return str(typed_path(path, start_folder).absolute())


def anchor_part(entry: Any, start_folder: Path) -> Any:
    """A part of a mixture with its path anchored, if it has one."""
    if isinstance(entry, str):
        return entry if entry in group_choices("corpus") else anchored(entry, start_folder)
    if isinstance(entry, Mapping) and isinstance(entry.get("path"), str):
        return {**entry, "path": anchored(entry["path"], start_folder)}
    return entry


def parts_of(mix: CorpusConfig) -> dict[str, CorpusConfig]:
    """The options of each part of a mixture, by the name that its figures get.

    Raises:
        LabError: if there are none, or one of them is no corpus; or their weights make no sense.
    """
    entries, weights = mix.parts, mix.weights
    if not entries:
        raise LabError(f"corpus=mix needs its parts: add {_EXAMPLE}, names of corpora or paths")
    if weights is not None and len(weights) != len(entries):
        raise LabError(f"corpus.weights= has {len(weights)} numbers for {len(entries)} parts: give one for each")
    if weights is not None and not sum(weights) > 0:
        raise LabError("corpus.weights= sum to 0, and nothing would be trained on: give at least one above 0")
    found: dict[str, CorpusConfig] = {}
    for entry in entries:
        part = _part(entry)
        name, number = part.name, 2
        while part.name in found:
            part.name, number = f"{name}-{number}", number + 1
        found[part.name] = part
    return found


def _part(entry: Any) -> CorpusConfig:
    if isinstance(entry, str):
        entry = {"corpus": entry} if entry in group_choices("corpus") else {"path": entry}
    if not isinstance(entry, Mapping):
        raise LabError(f"corpus.parts: {shown(str(entry))} is no corpus; give names or paths, such as {_EXAMPLE}")
    for name in entry:
        if name not in ("corpus", *OWN_OPTIONS):
            known = ", ".join(OWN_OPTIONS)
            raise LabError(f"corpus.parts: a part has no option {shown(str(name))}; it has corpus (its name), {known}")
    name, own = entry.get("corpus", "text"), {key: value for key, value in entry.items() if key != "corpus"}
    if name not in group_choices("corpus") or name in _NO_PARTS:
        known = ", ".join(choice for choice in group_choices("corpus") if choice not in _NO_PARTS)
        raise LabError(f"corpus.parts: {shown(str(name))} cannot be a part: choose among {known}, or give a path")
    part = dataclasses.replace(preset(name), **own)
    if part.source == CorpusSource.path:
        if not isinstance(part.path, str) or not part.path:
            raise LabError(f"corpus.parts: the part {name} has no path: write {{corpus:{name},path:FILE}}, or its path")
        part.name = re.sub(r"[^\w.-]", "_", Path(part.path).stem) or name
    elif "path" in own:
        raise LabError(f"corpus.parts: the part {name} has a place of its own: leave its path out")
    for option in ("seed", "documents"):
        value = getattr(part, option)
        if option in own and part.source != CorpusSource.grammar:
            raise LabError(f"corpus.parts: the part {name} has no {option}: only grammar has")
        if option in own and type(value) is not int:
            raise LabError(f"corpus.parts: {option} of the part {name} must be a whole number")
        if value is not None:
            LIMITS[f"corpus.{option}"].check(f"corpus.parts: {option}", value)
    if not isinstance(part.document_separator, str | None) or part.document_separator == "":
        raise LabError(f"corpus.parts: document_separator of the part {name} must be a text that ends a document")
    return part
