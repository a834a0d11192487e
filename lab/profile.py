"""Where the time of a training step goes: ``python -m lab.profile model=small``. It keeps nothing of a few steps."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.commands import entry
from lab.commands.options import help_text, parse, place, split
from lab.commands.training_options import training_config
from lab.config import typed_code
from lab.config.limits import Limit
from lab.config.schema import Config
from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.safe_files import refuse_replacing
from lab.terminal import print_json

_HEAD = """\
Takes a few steps of a training under torch's profiler, and says how long each part of the model took, forward and
backward together, how much it computed meanwhile, and how far that is from its matrix products run alone, in the same
number format, with as many threads.

    python -m lab.profile                                      where nano's time goes
    python -m lab.profile model=small trainer.compile=true     compiled blocks are one item
    python -m lab.profile model.norm=my_idea.py:Norm to=trace.json    ... and a file for https://ui.perfetto.dev

The options are those of lab.train --help; what a run writes, shows and evaluates is left out. FLOPs are counted from
the options, as lab.summary does; what is computed again (model.activation_checkpointing) takes time and counts once.
"""


@dataclass
class Options:
    """What can be given as option=value."""

    steps: int = 5
    """Optimizer steps under the profiler; as many without it, and three before that warm up."""
    format: Literal["table", "json"] = "table"
    """What is printed."""
    to: str | None = place(None)
    """A file, .json, for all operations one by one, as Perfetto and chrome://tracing show them."""


LIMITS = {"steps": Limit(1, 1000)}


def main() -> None:
    """The command line: takes the same options as lab.train."""
    entry.run_composing(_start, lambda: help_text(_HEAD, Options, LIMITS))


def _start() -> None:
    own, words = split(sys.argv[1:], Options)
    options, config = parse(own, Options, LIMITS), training_config(words)
    with typed_code.allowed(words, config.parts, Path.cwd()):
        profile(options, config, Path.cwd())


def profile(options: Options, config: Config, start_folder: Path) -> None:
    """Profiles and prints; writes the trace if asked to.

    Raises:
        LabError: if an option makes no sense, or the trace cannot be written.
    """
    target = _target(options.to, start_folder)
    for option, value, plain in (
        ("resume", config.resume, None),
        ("init_from", config.init_from, None),
        ("trainer.devices", config.trainer.processes, 1),
    ):
        if value != plain:
            raise LabError(f"{option}: lab.profile takes a few steps from fresh weights, on one device: leave it out")
    # Imported here, because Lightning takes seconds: a misspelt option should be told at once.
    from lab.profiling import report
    from lab.profiling.step import profile_step

    with tempfile.TemporaryDirectory() as folder:
        trace = None if target is None else Path(folder) / "trace.json"
        found = profile_step(config, options.steps, Path(folder) / "run", start_folder, trace)
        if trace is not None and target is not None:
            try:
                atomic.write_text(target, trace.read_text(encoding="utf-8"))
            except OSError as error:
                raise LabError(f"to={target} cannot be written ({error.strerror or error})") from error
    if options.format == "json":
        print_json(report.as_json(found), indent=2)
    else:
        print(report.as_text(found))


def _target(text: str | None, start_folder: Path) -> Path | None:
    if text is None:
        return None
    target = typed_path(text, start_folder)
    if target.suffix.lower() != ".json":
        raise LabError(f"to={text} does not end in .json: Perfetto opens no other trace")
    refuse_replacing(target)
    return target


if __name__ == "__main__":
    main()
