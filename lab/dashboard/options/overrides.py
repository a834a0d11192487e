"""Options that come over the network: which may be given, and how they reach the command line as they are.

``hydra.utils.instantiate`` runs whatever a ``_target_`` names, and a corpus can be fetched from any address. So nothing
but plain values for known options comes through here.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from lab.config import quoting
from lab.config.choices import group_choices, group_names
from lab.config.corpus_schema import CorpusSource
from lab.config.groups import option_names
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options.composition import Composed, composed, composing
from lab.dashboard.schemas import Value
from lab.dashboard.settings import Settings
from lab.errors import LabError
from lab.files.labels import MOST_NAME, MOST_NOTES, MOST_TAG, label
from lab.files.safe_files import readable

LOGGERS = ("tensorboard", "csv", "none")
"""The others send what they are told to other machines."""

REFUSED = {
    "resume": "continue or fork a run instead",
    "init_from": "it can name any file of this machine; use the command line",
    "parts": "it names code to run; use the command line",
    "tokenizer.name": "choose a tokenizer instead",
    "tokenizer.path": "it can name any file of this machine; use the command line",
    "corpus.name": "choose a corpus instead",
    "corpus.dataset": "choose a corpus instead",
    "corpus.val_path": "it can name any file of this machine; use the command line",
    "corpus.source": "choose a corpus instead",
    "corpus.url": "choose a corpus instead",
    "corpus.sha256": "choose a corpus instead",
    "sweep": "a sweep is started by itself",
    **dict.fromkeys(("name", "tags", "notes"), "it has a field of its own, beside the options"),
}


@cache
def known_options() -> frozenset[str]:
    """Every option, also those that exist only with another file of their group."""
    with composing:
        return frozenset(option_names())


def allowed(key: str) -> bool:
    """May the option or group ``key`` be given at all?"""
    return (
        key not in REFUSED
        and not key.startswith(("logger.", "callbacks.", "metrics", "hydra"))
        and "_target_" not in key
    )


def words(overrides: Mapping[str, Value], settings: Settings) -> list[str]:
    """The words for lab.train's command line that make each option exactly what it is here.

    Raises:
        ApiError: naming the option that cannot be given, or not with this value.
    """
    return [_word(key, value, settings) for key, value in overrides.items()]


def naming_words(name: str | None, tags: Sequence[str], note: str | None) -> list[str]:
    """The words that make the run be called this."""
    texts = {"name": label(name or "", MOST_NAME), "notes": label(note or "", MOST_NOTES, lines=True)}
    shown = [tag for tag in (label(tag, MOST_TAG) for tag in tags) if tag]
    words = [f"{option}={text}" for option, text in texts.items() if text]
    return words + ([f"tags=[{','.join(quoting.quoted('', tag)[1:] for tag in shown)}]"] if shown else [])


def sweep_words(sweep: Mapping[str, Sequence[str | int | float | bool]], settings: Settings) -> list[str]:
    """The same for options that shall take several values, one after the other.

    Raises:
        ApiError: as ``words``; and for an option whose text is taken literally, and which therefore cannot be swept.
    """
    found = []
    for key, values in sweep.items():
        if key in quoting.LITERAL_OPTIONS:
            raise ApiError(422, f"{key} is taken as it is typed and cannot be swept over", key)
        if not values:
            raise ApiError(422, f"{key} has no values to sweep over", key)
        texts = [_word(key, value, settings).partition("=")[2] for value in values]
        found.append(f"{key}={','.join(texts)}")
    return found


def check_together(overrides: Mapping[str, Value], settings: Settings) -> Composed:
    """The whole configuration with these options.

    Raises:
        ApiError: naming the first option that does not fit.
    """
    try:
        return composed(quoting.quote_literals(words(overrides, settings)))
    except LabError as error:
        raise ApiError(422, str(error), field_of(str(error), overrides)) from error


def check_words(words: Sequence[str]) -> None:
    """What a checkpoint or a run folder brings along, in Hydra's grammar, is allowed no more than what comes over the
    network.

    Raises:
        ApiError: naming the option that is not allowed.
    """
    for word in words:
        key, _, text = word.partition("=")
        choices = [*LOGGERS, ""] if key == "logger" else [*group_choices(key), ""] if key in group_names() else None
        known = key in known_options() if choices is None else set(text.strip("[]").split(",")) <= set(choices)
        if not known or not allowed(key) or _names_code(key, text):
            what = f"the run brings along {readable(word)[:200]}, which is given on a command line only"
            raise ApiError(422, what, key)


def check_inherited(inherited: Sequence[str], typed: Mapping[str, Value], settings: Settings) -> Composed:
    """The whole configuration of a run that goes on: ``typed`` over what a checkpoint brings along, which may have been
    downloaded.

    Raises:
        ApiError: naming the option that is not allowed, or does not fit.
    """
    check_words(inherited)
    try:
        found = composed([*inherited, *quoting.quote_literals(words(typed, settings))])
    except LabError as error:
        raise ApiError(422, str(error), field_of(str(error), typed)) from error
    corpus = found.config.corpus
    is_own = corpus.source in (CorpusSource.path, CorpusSource.bin)
    if is_own or any(word.startswith("corpus.path=") for word in inherited):
        _check_path(corpus.path, settings)
    _check_parts(corpus.parts, settings)
    return found


def field_of(sentence: str, overrides: Mapping[str, Value]) -> str | None:
    """The option that a sentence speaks of: the longest one that stands in it."""
    known = [key for key in {*overrides, *known_options()} if key in sentence]
    ends = [key for key in overrides if key.rpartition(".")[2] + "=" in sentence]
    return max(ends, key=len, default=None) or max(known, key=len, default=None)


def _word(key: str, value: Value, settings: Settings) -> str:
    if not allowed(key):
        why = REFUSED.get(key, "it is not for the dashboard")
        raise ApiError(422, f"{key} cannot be given here: {why}", key)
    if key in group_names():
        known = LOGGERS if key == "logger" else group_choices(key)
        if value not in known:
            raise ApiError(422, f"{key}={value} is unknown: choose one of {', '.join(known)}", key)
        return f"{key}={value}"
    if key not in known_options():
        near = difflib.get_close_matches(key, known_options(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ApiError(422, f"there is no option {key[:80]}{hint}", key[:80])
    if key == "corpus.path":
        _check_path(value, settings)
    if key == "corpus.parts" and isinstance(value, list):
        _check_parts(value, settings)
    if _names_code(key, value):
        raise ApiError(422, f"{key} cannot name code of one's own here: use the command line", key)
    if value is None or isinstance(value, bool):
        return f"{key}={'null' if value is None else str(value).lower()}"
    if isinstance(value, int | float):
        return f"{key}={value!r}"
    if isinstance(value, list):
        return f"{key}=[{','.join(_item(key, item) for item in value)}]"
    if "\0" in value:
        raise ApiError(422, f"{key} holds a zero byte, which no command line can", key)
    # lab.train quotes these itself, for they are typed as they are meant.
    return f"{key}={value if key in quoting.LITERAL_OPTIONS else _text(value)}"


def _item(key: str, item: str | float) -> str:
    if not isinstance(item, str):
        return repr(item)
    if "\0" in item:
        raise ApiError(422, f"{key} holds a zero byte, which no command line can", key)
    return _text(item)


def _text(value: str) -> str:
    """A text in Hydra's grammar: without quotes where it cannot be taken for anything else."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", value) and value.lower() not in ("null", "true", "false", "nan", "inf")
    return value if plain else quoting.quoted("", value)[1:]


def _names_code(key: str, value: object) -> bool:
    """Would the option take this for something in a Python file? Also in the quotes of Hydra's grammar, and in a list
    or a sweep."""
    return quoting.CODE_OPTIONS.fullmatch(key) is not None and re.search(r"\.py\W*:", str(value)) is not None


def _check_parts(parts: Sequence[Any] | None, settings: Settings) -> None:
    """The same of each part of a mixture that is no corpus by its name."""
    for part in parts or ():
        path = part.get("path") if isinstance(part, Mapping) else None if part in group_choices("corpus") else part
        _check_path(path, settings, "corpus.parts")


def _check_path(value: Value, settings: Settings, option: str = "corpus.path") -> None:
    """A text to train on must be a file in the root: what is learnt from it can be read out of the model."""
    if value is None:
        return
    # A single file, because a folder or a pattern may lead out again over a link; and no "~", which is somebody's home.
    try:
        inside = isinstance(value, str) and not value.startswith("~")
        path = (settings.root / str(value)).resolve(strict=True)
        inside = inside and path.is_file() and path.is_relative_to(settings.root.resolve())
    except (OSError, ValueError):
        inside = False
    if not inside:
        raise ApiError(422, f"{option}={value} is not a file in the server's root {settings.root}", option)
