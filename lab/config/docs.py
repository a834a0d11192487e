"""The text of ``python -m lab.train --help``, made from the schema and the files it describes."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

from omegaconf import MISSING

from lab.config.groups import CONF_FOLDER
from lab.config.limits import Limit


def first_line(group: str, choice: str) -> str:
    """The first sentence of a configuration file's comment: who should choose it."""
    for line in (CONF_FOLDER / group / f"{choice}.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("# ") and not line.startswith("# @"):
            return line[2:]
    return ""


@cache
def field_docs(schema: type) -> dict[str, str]:
    """The string under each field of a dataclass: Python keeps it in the source only, so that is where it is read."""
    found: dict[str, str] = {}
    for base in reversed([c for c in schema.__mro__ if dataclasses.is_dataclass(c)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, after in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                found[statement.target.id] = " ".join(str(after.value.value).split())
    return found


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
