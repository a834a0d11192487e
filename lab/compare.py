"""Says whether one set of options is better than another: ``python -m lab.compare RUN RUN``."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.commands import entry
from lab.commands.options import help_text, parse
from lab.comparison import figure, report, sides, verdict
from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.safe_files import refuse_replacing
from lab.terminal import print_json

_HEAD = """\
Compares runs: what differs in their options, their figures at the end, at their best, and at equal tokens, FLOPs and
time, and whether the difference is more than luck. Each word is a run folder, a folder with runs below it (a sweep, an
experiment), or a pattern.

    python -m lab.compare outputs/2026-01-02/10-00-00-nano-fables outputs/2026-01-02/11-00-00-nano-fables
    python -m lab.compare multirun/2026-01-02/12-00-00                        every combination of a sweep
    python -m lab.compare A_FOLDER B_FOLDER to=verdict.json to=curves.png

Runs that differ in nothing but the seed are one side; the first side is the baseline. Less is better: bits per byte,
or the loss where a run knows no bits per byte.

At equal cost, each run's figure is read off the straight line between the evaluations before and after the largest
cost that every run of both sides reached. The interval is Student's t, on the differences within each seed that both
sides have (two or more), and else Welch's. If it holds 0, nothing is decided; then it is said how many more seeds would
decide it with a probability of 80 %, if the difference and the deviation are what they seem to be.
"""


@dataclass
class Options:
    """What can be given as option=value."""

    by: Literal["tokens", "flops", "seconds", "processor_seconds", "final", "best"] = "tokens"
    """What is held equal for the verdict. Ideas that cost more are favoured by tokens; time depends on the machine."""
    format: Literal["table", "json", "csv"] = "table"
    """What is printed: table, json or csv."""
    to: list[str] = field(default_factory=list)
    """A file for it as well, by its ending: .json, .csv, .txt, or a figure, .png, .svg or .pdf (needs matplotlib). May
    be given several times."""


def main() -> None:
    """The command line."""
    entry.run(_start, lambda: help_text(_HEAD, Options))


def _start() -> None:
    folders, words = _split(sys.argv[1:], Path.cwd())
    compare(folders, parse(words, Options), Path.cwd())


def _split(words: Sequence[str], start_folder: Path) -> tuple[list[str], list[str]]:
    """What names runs, and what are options. A folder may have a ``=`` in its name, as those of sweeps do."""
    named = [word for word in words if not re.match(r"(by|format|to)=|--", word)]
    typos = [word for word in named if re.match(r"[a-z_.]+=[^/]*$", word) and not (start_folder / word).exists()]
    folders = [word for word in named if word not in typos]
    return folders, [word for word in words if word not in folders]


def compare(words: Sequence[str], options: Options, start_folder: Path) -> None:
    """Compares, prints, and writes if asked to.

    Raises:
        LabError: if a word means no run, there are no two sides, or a file cannot be written.
    """
    if not words:
        raise LabError(
            "what is to be compared? give the folders of two runs, of a sweep, or a pattern; --help has more"
        )
    targets = [_target(text, start_folder) for text in options.to]
    found = sides.find(words, start_folder)
    made = sides.make_sides(found)
    for run in sides.without_evaluation(found):
        print(f"note: {run.folder} is left out: it has evaluated nothing yet", file=sys.stderr)
    contrasts = verdict.contrasts(made, options.by)
    failed = [error for target in targets if (error := _written(target, made, contrasts)) is not None]
    # After the files, but also without them: neither is lost because the other one is.
    if options.format == "json":
        print_json(report.as_json(made, contrasts), indent=2)
    else:
        text = report.as_csv(made, contrasts) if options.format == "csv" else report.as_text(made, contrasts)
        print(text.removesuffix("\n"))
    if failed:
        raise failed[0]


def _target(text: str, start_folder: Path) -> Path:
    target = typed_path(text, start_folder)
    if target.suffix.lower() not in (".json", ".csv", ".txt", *figure.KINDS):
        raise LabError(f"to={text} has no ending that says what to write: .json, .csv, .txt, .png, .svg or .pdf")
    if target.is_dir():
        raise LabError(f"to={text} is a folder: give the name of a file")
    refuse_replacing(target, {"sides", "contrasts"})
    return target


def _written(target: Path, made: Sequence[sides.Side], contrasts: Sequence[verdict.Contrast]) -> LabError | None:
    kind = target.suffix.lower()
    try:
        if kind == ".json":
            told: dict[str, Any] = report.as_json(made, contrasts)
            atomic.write_json(target, told)
        elif kind in figure.KINDS:
            figure.save(made, contrasts, target)
        else:
            atomic.write_text(target, (report.as_csv if kind == ".csv" else report.as_text)(made, contrasts) + "\n")
    except OSError as error:
        return LabError(f"to={target} cannot be written ({error.strerror or error})")
    except ModuleNotFoundError:
        return LabError(f"{target} is a figure, and figures need matplotlib: type `pip install matplotlib`")
    return None


if __name__ == "__main__":
    main()
