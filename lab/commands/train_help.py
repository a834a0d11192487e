"""The text of ``python -m lab.train --help``, made from the schema and the files it describes."""

import dataclasses
from typing import Any

from lab.config.docs import entry, field_docs, first_line
from lab.config.groups import group_choices, group_names, optimizers
from lab.config.limits import LIMITS
from lab.config.schema import Config

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
    for group in group_names():
        if files := group_choices(group):
            lines.append(f"  {group}")
            lines += [f"    {choice:<16}{first_line(group, choice)}" for choice in files]
    lines.append("\nOPTIONS: name (default; range), lengths in optimizer steps or tokens.\n")
    lines += list(_options(Config, ""))
    return "\n".join(lines) + "\n" + _TAIL


def _options(schema: type, prefix: str) -> Any:
    for f in dataclasses.fields(schema):
        if f.name == "optimizer":  # each option once, whichever of them have it
            told: dict[str, str] = {}
            for kind in optimizers().values():
                for line in _options(kind, "optimizer."):
                    told.setdefault(line.split()[0], line)
            yield from told.values()
        elif dataclasses.is_dataclass(f.default_factory):
            yield from _options(f.default_factory, f"{f.name}.")
        elif not f.name.startswith("_"):
            yield entry(f"{prefix}{f.name}", f, field_docs(schema).get(f.name, ""), LIMITS)
