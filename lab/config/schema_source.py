"""The options as the source of the schema says them: read, and not run.

The schema knows the model, and the model torch, which takes over a second to import. A text of help can do without: all
that it says of an option is written in the source. What is read here is what ``dataclasses.fields`` would say, held
against it in ``tests/config/test_schema_source.py``.
"""

import ast
import dataclasses
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lab.config.docs import MISSING, doc_under

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Option:
    """A field of a dataclass."""

    name: str
    field: "dataclasses.Field[Any]"
    """Its default."""
    doc: str
    """The string under it, on one line."""
    group: tuple[str, str] | None
    """The module and the name of the dataclass that it holds, if it is a group of options."""


def options(module: str, name: str) -> list[Option]:
    """The fields of the dataclass ``name`` in ``module``, those of its bases first.

    Raises:
        ValueError: if a default is more than a constant, a member of an enum, or a field of these.
    """
    home = _parsed(module)
    (written,) = (node for node in home.body if isinstance(node, ast.ClassDef) and node.name == name)
    found: dict[str, Option] = {}
    for base in written.bases:
        if isinstance(base, ast.Name):
            found |= {option.name: option for option in options(*_home(module, base.id))}
    for statement, after in zip(written.body, [*written.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            told = doc_under(after) or (found[statement.target.id].doc if statement.target.id in found else "")
            found[statement.target.id] = _option(module, statement.target.id, statement.value, told)
    return list(found.values())


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse((_ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8"))


def _home(module: str, name: str) -> tuple[str, str]:
    """Where what ``module`` calls ``name`` is defined."""
    for node in _parsed(module).body:
        if isinstance(node, ast.ImportFrom) and node.module and name in [alias.name for alias in node.names]:
            return node.module, name
    return module, name


def _option(module: str, name: str, value: ast.expr | None, told: str) -> Option:
    if isinstance(value, ast.Call) and getattr(value.func, "id", None) == "field":
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        if isinstance(factory := given.get("default_factory"), ast.Name):
            group = None if factory.id in ("dict", "list") else _home(module, factory.id)
            no_default: Any = dataclasses.field(default_factory=dict)
            return Option(name, no_default, told, group)
        value = given.get("default")
    default: Any = dataclasses.field() if value is None else dataclasses.field(default=_constant(value))
    return Option(name, default, told, None)


def _constant(value: ast.expr) -> Any:
    if isinstance(value, ast.Name) and value.id == "MISSING":
        return MISSING
    if isinstance(value, ast.Attribute):  # a member of an enum, whose values are their names, or such a value
        return value.value.attr if isinstance(value.value, ast.Attribute) else value.attr
    return ast.literal_eval(value)
