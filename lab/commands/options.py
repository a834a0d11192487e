"""Options of the commands that train nothing: ``option=value`` words into a dataclass, each value taken as typed.

Most of these commands compose no configuration, and their values are texts and paths more often than numbers: no
grammar that gives a meaning to commas, quotes or braces stands between what is typed and what arrives. Those that are
about a training to be take the words of ``lab.train``: ``lab.commands.training_options``. Flags are in
``lab.commands.flags``.
"""

import dataclasses
import difflib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lab.config.docs import entry, field_docs
from lab.config.limits import Limit
from lab.errors import LabError, shown
from lab.files import user_code
from lab.files.paths import typed_path

Options = TypeVar("Options")


def place(default: Any, typed: str | None = None) -> Any:
    """A field that names a file or a folder: left out it is ``default``, and an empty name is a mistake, where a path
    would take it for the folder that we stand in. ``typed`` is a name that no attribute can have (``corpus.path``)."""
    return dataclasses.field(default=default, metadata={"place": True} | ({"typed": typed} if typed else {}))


def parse(words: Sequence[str], schema: type[Options], limits: Mapping[str, Limit] | None = None) -> Options:
    """``schema``, a dataclass, filled from ``option=value`` words.

    Its fields may be ``str``, ``int``, ``float``, ``bool`` (true or false), one of these ``| None`` (``null``; a text
    is taken as typed and has no null), a ``Literal`` of texts (one of them), or ``list[str]``, which collects an option
    that is given several times. Fields without a default must be given. Of a single value that is given twice, the
    last one counts.

    Raises:
        LabError: for an unknown or missing option, or a value that does not fit or is out of range.
    """
    hints = get_type_hints(schema)
    attributes = {_typed(f): f.name for f in dataclasses.fields(schema)}  # type: ignore[arg-type]
    kinds = {name: hints[attribute] for name, attribute in attributes.items()}
    never_empty = {_typed(f) for f in dataclasses.fields(schema) if f.metadata.get("place")}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if name not in kinds or not equals:
            raise LabError(_no_option(word, kinds))
        if not text and name in never_empty:
            raise LabError(f"{name}= is empty: say which, or leave it out")
        if get_origin(kinds[name]) is list:
            given.setdefault(name, []).append(text)
        else:
            given[name] = _value(name, text, kinds[name])
            if limits and name in limits and given[name] is not None:
                limits[name].check(name, given[name])
    missing = [_typed(f) for f in dataclasses.fields(schema) if _is_required(f) and _typed(f) not in given]  # type: ignore[arg-type]
    if missing:
        raise LabError(f"{missing[0]}= is missing: it has no default; --help explains it")
    return schema(**{attributes[name]: value for name, value in given.items()})


def split(words: Sequence[str], schema: type) -> tuple[list[str], list[str]]:
    """The options of ``schema`` among ``words``, and the others: for commands that take those of ``lab.train``, too."""
    names = {_typed(f) for f in dataclasses.fields(schema)}
    own = [word for word in words if word.partition("=")[0] in names]
    return own, [word for word in words if word not in own]


@contextmanager
def own_parts(files: Sequence[str]) -> Iterator[None]:
    """Within the block, models may be made of what the files define that ``parts=`` names.

    Raises:
        LabError: if one is missing or fails, or two have the same name.
    """
    with user_code.allowed(typed_path(file, Path.cwd()) for file in dict.fromkeys(files)):
        yield


def help_text(head: str, schema: type, limits: Mapping[str, Limit] | None = None) -> str:
    """``head``, then a line for each field of ``schema``: its default, its range, and the string under it."""
    docs = field_docs(schema)
    entries = [entry(_typed(f), f, docs.get(f.name, ""), limits or {}) for f in dataclasses.fields(schema)]
    return "\n".join([head, *entries]) + "\n"


def _typed(field: "dataclasses.Field[Any]") -> str:
    """What is typed before the ``=``."""
    return str(field.metadata.get("typed", field.name))


def _value(name: str, text: str, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise LabError(f"{name}={text} does not fit: choose one of {', '.join(get_args(kind))}")
        return text
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (member for member in get_args(kind) if member is not type(None))
        if text == "null" and kind is not str:
            return None
    if kind is str:
        return text
    if kind is bool:
        if text not in ("true", "false"):
            raise LabError(f"{name}={text} does not fit: it must be true or false")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise LabError(f"{name}={text} does not fit: it must be {expected}") from None


def _no_option(word: str, known: Iterable[str]) -> str:
    name, equals, text = word.partition("=")
    bare = name.strip("-").replace("-", "_")
    if name in known:
        return f"'{name}' has no value: write {name}=VALUE"
    if bare in known:
        return f"there is no option {shown(name)}: write {bare}={shown(text) if equals else 'VALUE'}"
    near = difflib.get_close_matches(bare, known, n=1)
    hint = f"did you mean {near[0]}=?" if near else f"the options are {', '.join(known)}; --help explains them"
    return f"there is no option {shown(name) or 'without a name'}; {hint}"


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
