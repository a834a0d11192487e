"""The text of ``python -m lab.train --help``, made from the schema and the files it describes."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

from omegaconf import MISSING

from lab import cli
from lab.config import CONF_FOLDER, LIMITS, Config, Limit

_HEAD = """\
Trains a GPT.

    python -m lab.train                                        nano on the fables: minutes on a CPU
    python -m lab.train model=small corpus=verdict             other files from conf/
    python -m lab.train optimizer.lr=1e-3 trainer.max_steps=500 save=true
    python -m lab.train corpus=text corpus.path=notes/         your own text
    python -m lab.train -m optimizer.lr=1e-4,3e-4 model=nano   a sweep: each combination is a run
    python -m lab.train model=medium init_from=gpt2 corpus=text corpus.path=notes/    fine-tunes GPT-2 on your own text
    python -m lab.train resume=last                            goes on where the newest checkpoint was taken

GROUPS: group=choice picks a file conf/group/choice.yaml.
"""

_TAIL = """
-m sweeps over comma-separated values, --cfg job prints the composed options and runs nothing, --hydra-help has
Hydra's own flags. Tab completion, with the lab-train command: eval "$(lab-train -sc install=bash)"
"""


def text() -> str:
    """The whole help text."""
    lines = [_HEAD]
    for group in cli.groups():
        if files := cli.choices(group):
            lines.append(f"  {group}")
            lines += [f"    {choice:<16}{first_line(group, choice)}" for choice in files]
    lines.append("\nOPTIONS: name (default; range), lengths in optimizer steps or tokens.\n")
    lines += list(_options(Config, ""))
    return "\n".join(lines) + "\n" + _TAIL


def first_line(group: str, choice: str) -> str:
    """The first sentence of a configuration file's comment: who should choose it."""
    for line in (CONF_FOLDER / group / f"{choice}.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("# ") and not line.startswith("# @"):
            return line[2:]
    return ""


@cache
def docs(schema: type) -> dict[str, str]:
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


def _options(schema: type, prefix: str) -> Any:
    for f in dataclasses.fields(schema):
        if f.name == "optimizer":  # each option once, whichever of them have it
            told: dict[str, str] = {}
            for kind in cli.optimizers().values():
                for line in _options(kind, "optimizer."):
                    told.setdefault(line.split()[0], line)
            yield from told.values()
        elif dataclasses.is_dataclass(f.default_factory):
            yield from _options(f.default_factory, f"{f.name}.")
        elif not f.name.startswith("_"):
            yield entry(f"{prefix}{f.name}", f, docs(schema).get(f.name, ""), LIMITS)


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
