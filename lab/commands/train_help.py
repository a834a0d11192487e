"""The text of ``python -m lab.train --help``, made from the schema and the files it describes."""

from collections.abc import Iterator

from lab.config import schema_source
from lab.config.choices import HYDRA_GROUPS, first_sentence, group_choices, group_names
from lab.config.docs import entry
from lab.config.limits import LIMITS
from lab.config.optimizer_schema import optimizers

_HEAD = """\
Trains a GPT.

    python -m lab.train                                        nano on the fables: minutes on a CPU
    python -m lab.train model=small corpus=verdict             other files from conf/
    python -m lab.train optimizer.lr=1e-3 trainer.max_steps=500 save=true
    python -m lab.train corpus=text corpus.path=notes/         your own text
    python -m lab.train corpus=hf corpus.name=OWNER/NAME       a text dataset of the Hugging Face hub
    python -m lab.train -m optimizer.lr=1e-4,3e-4 model=nano   a sweep: each combination is a run
    python -m lab.train sweep=lr hydra/launcher=joblib         a ready one, several runs at a time
    python -m lab.train -m resume=multirun/DATE/TIME           goes on with a sweep: the jobs that are left
    python -m lab.train model=medium init_from=gpt2 corpus=text corpus.path=notes/    fine-tunes GPT-2 on your own text
    python -m lab.train resume=last                            goes on where the newest checkpoint was taken
    python -m lab.train trainer=ddp                            on all GPUs of this machine

GROUPS: group=choice picks a file conf/group/choice.yaml.
"""


_TAIL = """
--sbatch prints a batch script for SLURM with the options of a run.
-m sweeps over comma-separated values, --cfg job prints the composed options and runs nothing, --hydra-help has
Hydra's own flags. Tab completion, with the lab-train command: eval "$(lab-train -sc install=bash)"
"""


def text() -> str:
    """The whole help text."""
    lines = [_HEAD]
    for group in (*group_names(), *HYDRA_GROUPS):
        if files := group_choices(group):
            lines.append(f"  {group}")
            lines += [f"    {choice:<16}{first_sentence(group, choice)}" for choice in files]
    lines.append("\nOPTIONS: name (default; range), lengths in optimizer steps or tokens.\n")
    lines += list(_options("lab.config.schema", "Config"))
    return "\n".join(lines) + "\n" + _TAIL


def _options(module: str, schema: str, prefix: str = "") -> Iterator[str]:
    for option in schema_source.options(module, schema):
        if option.name == "optimizer":  # each option once, whichever of them have it
            told: dict[str, str] = {}
            for kind in optimizers().values():
                for line in _options(kind.__module__, kind.__name__, "optimizer."):
                    told.setdefault(line.split()[0], line)
            yield from told.values()
        elif option.group is not None:
            yield from _options(*option.group, f"{option.name}.")
        elif not option.name.startswith("_"):
            yield entry(f"{prefix}{option.name}", option.field, option.doc, LIMITS)
