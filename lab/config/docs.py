"""What the help says of an option: the string under it in the source."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

from lab.config.limits import Limit

MISSING = "???"
"""``omegaconf.MISSING``, without its import."""


@cache
def field_docs(schema: type) -> dict[str, str]:
    """The string under each field of a dataclass: Python keeps it in the source only, so that is where it is read."""
    found: dict[str, str] = {}
    for base in reversed([c for c in schema.__mro__ if dataclasses.is_dataclass(c)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, after in zip(body.body, body.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and doc_under(after):
                found[statement.target.id] = doc_under(after)
    return found


def doc_under(statement: ast.stmt | None) -> str:
    """The text of a statement that is a string alone, on one line; of any other, nothing."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return " ".join(str(statement.value.value).split())
    return ""


def entry(key: str, f: "dataclasses.Field[Any]", doc: str, ranges: Mapping[str, Limit]) -> str:
    """One option as a paragraph: its name, its default and range, what it does."""
    known = f.default
    default = (
        "must be given"
        if known is dataclasses.MISSING
        else "null"
        if known is None
        else "set by the choice"
        if known == MISSING
        else getattr(known, "name", known)
    )
    default = str(default).lower() if isinstance(default, bool) else default
    limits = f"; {ranges[key]}" if key in ranges else ""
    head = f"  {key} ({default}{limits})" if f.default_factory is dataclasses.MISSING else f"  {key}"
    return textwrap.fill(f"{head}  {doc}", width=116, subsequent_indent="      ")
