"""Puts an idea to the test: ``python -m lab.experiment idea="optimizer.lr=1e-3" seeds=5``."""

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from lab.commands import entry
from lab.commands.options import help_text, parse, place
from lab.commands.training_options import training_config
from lab.comparison import experiment as trials
from lab.comparison import report, sides, verdict
from lab.comparison.experiment import Experiment, Trial
from lab.comparison.run_curve import read_run
from lab.config import resolvers
from lab.config.schema import to_plain
from lab.errors import Interrupted, LabError
from lab.files import atomic
from lab.files.paths import shown, typed_path
from lab.files.run_files import LOG_FILE
from lab.runs.state import read_state
from lab.terminal import duration

_HEAD = """\
Runs two sets of options over the same seeds, in turns, and says which is better, or that nobody can tell yet. Each run
is a training of its own, in a folder of its own below that of the experiment. Typed again with folder=, the same
command goes on where it was stopped; with more seeds=, it adds what is missing.

    python -m lab.experiment idea="optimizer.lr=1e-3" seeds=5
    python -m lab.experiment idea="schedule=wsd" baseline="schedule=cosine" seeds=1,2,3 model=nano trainer.max_steps=200

All other words are options of lab.train, for both sides. The verdict is printed, and written to verdict.json.
"""
_POLL_SECONDS = 0.1
_SECONDS_BETWEEN_LINES = 30.0


@dataclass
class Options:
    """What can be given as option=value."""

    idea: str
    """The options of the idea, in quotes: "model=small optimizer.lr=1e-3"."""
    baseline: str = ""
    """Those of what it is compared with; left out, the common options alone."""
    seeds: str = "5"
    """How many, from 1 up; or which, with commas: 1,2,4."""
    folder: str | None = place(None)
    """That of the experiment; left out, a new one below multirun/."""
    by: Literal["tokens", "flops", "seconds", "processor_seconds", "final", "best"] = "tokens"
    """What is held equal for the verdict."""


def main() -> None:
    """The command line."""
    entry.run_composing(_start, lambda: help_text(_HEAD, Options))


def _start() -> None:
    own = [word for word in sys.argv[1:] if re.match(r"(idea|baseline|seeds|folder|by)=", word)]
    common = [word for word in sys.argv[1:] if word not in own]
    conduct(parse(own, Options), common, Path.cwd())


def conduct(options: Options, common: Sequence[str], start_folder: Path) -> None:
    """Runs what is left to run, and says what came out.

    Raises:
        LabError: if an option makes no sense, the folder is another experiment's, or a run fails.
        Interrupted: if it was told to end; the run in progress has ended, too.
    """
    seeds = _seeds(options.seeds)
    baseline, idea = _words("baseline", options.baseline), _words("idea", options.idea)
    _refuse_senseless(common, baseline, idea)
    experiment = Experiment(_folder(options.folder, start_folder), baseline, idea, tuple(common), seeds)
    with trials.alone_with(experiment):
        print(f"experiment in {experiment.folder}", flush=True)
        try:
            _run_all(experiment)
        except (KeyboardInterrupt, Interrupted):
            print(f"\nto go on:\n  {_again(options, common, experiment.folder, start_folder)}", flush=True)
            raise
        runs = experiment.runs()
        made = sides.named(runs)
        contrasts = verdict.contrasts(made, options.by)
        atomic.write_json(experiment.folder / trials.VERDICT_FILE, report.as_json(made, contrasts))
        print(f"\n{report.as_text(made, contrasts)}")
        where = shown(experiment.folder, start_folder)
        print(f"\nnext\n  figure     python -m lab.compare {where} to=curves.png", flush=True)
        more = max((found.difference.more_seeds or 0) for found in contrasts[0].measured if found.at == contrasts[0].by)
        if more and options.seeds.isdecimal():
            again = _again(options, common, experiment.folder, start_folder, str(len(seeds) + more))
            print(f"  more seeds {again}", flush=True)


def _seeds(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,10}(,\d{1,10})*", text):
        raise LabError(f"seeds={text} does not fit: give how many, such as 5, or which, such as 1,2,4")
    numbers = [int(number) for number in text.split(",")]
    found = tuple(dict.fromkeys(numbers)) if "," in text else tuple(range(1, min(numbers[0], 10_000) + 1))
    if not found or len(found) > 1000 or max(found) >= 2**32:
        raise LabError(f"seeds={text} is out of range: 1 to 1,000 seeds, each below 4,294,967,296")
    return found


def _words(option: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise LabError(f"{option}= cannot be read ({str(error).lower()}): write options as in a shell") from error


def _refuse_senseless(common: Sequence[str], baseline: Sequence[str], idea: Sequence[str]) -> None:
    """Mistakes that can be told before anything has been trained."""
    for word in [*common, *baseline, *idea]:
        name = word.partition("=")[0].lstrip("+~")
        if "=" not in word or name.startswith("hydra.") or name in ("seed", "resume", "sweep"):
            why = "each run has a seed and a folder of its own" if "=" in word else "it is no option=value"
            raise LabError(f"{word} has no place in an experiment: {why}; --help explains what there is")
    one, other = (training_config([*common, *side]) for side in (baseline, idea))
    if to_plain(one) == to_plain(other):
        raise LabError("idea= and baseline= come to the same options: give the idea an option that differs")


def _folder(typed: str | None, start_folder: Path) -> Path:
    if typed is not None:
        return typed_path(typed, start_folder)
    now = datetime.now()
    wanted = start_folder / "multirun" / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}-experiment"
    try:
        return resolvers.make_unused(wanted)
    except OSError as error:
        raise LabError(f"{wanted} cannot be made ({error.strerror}): give folder=FOLDER") from error


def _again(options: Options, common: Sequence[str], folder: Path, start_folder: Path, seeds: str | None = None) -> str:
    words = [f"idea={options.idea}", *([f"baseline={options.baseline}"] if options.baseline else [])]
    words += [f"seeds={seeds or options.seeds}", *([f"by={options.by}"] if options.by != "tokens" else []), *common]
    return f"python -m lab.experiment {shlex.join(words)} folder={shown(folder, start_folder)}"


def _run_all(experiment: Experiment) -> None:
    if trials.has_orphan(experiment):
        print("waiting for the training that an earlier process has left at work", flush=True)
        while trials.has_orphan(experiment):
            time.sleep(_POLL_SECONDS)
    every = experiment.trials()
    left = [trial for trial in every if not trial.has_finished]
    if len(left) < len(every):
        print(f"{len(every) - len(left)} of {len(every)} runs are there already", flush=True)
    progress = _Progress(len(every), len(left))
    for trial in left:
        _run(experiment, trial, progress)


def _run(experiment: Experiment, trial: Trial, progress: "_Progress") -> None:
    trial.folder.mkdir(exist_ok=True)
    log = trial.folder / LOG_FILE
    child: subprocess.Popen[bytes] | None = None
    with log.open("ab") as output:
        began = output.tell()
        try:
            # In a session of its own: Ctrl-C reaches it through this process, once, and not twice at a time.
            child = subprocess.Popen(
                [sys.executable, "-m", "lab.train", *trial.words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            trials.note_child(experiment, child.pid)
            while child.poll() is None:
                progress.show(trial)
                time.sleep(_POLL_SECONDS)
        except BaseException as stop:
            if child is not None:
                _end(child, stop)
                trials.forget_child(experiment)
            raise
    trials.forget_child(experiment)
    if child.returncode or not trial.has_finished:
        raise LabError(
            f"the run {trial.folder.name} failed ({_reason(log, began)}); mend it and type the same with "
            f"folder={experiment.folder}, or leave the seed {trial.seed} out; {log} has more"
        )
    progress.finished(trial)


def _end(child: "subprocess.Popen[bytes]", stop: BaseException) -> None:
    """Asks a training to end, which saves if it may, and waits for it; a second Ctrl-C insists."""
    number = signal.SIGTERM if isinstance(stop, Interrupted) else signal.SIGINT
    while True:
        try:
            child.send_signal(number)
            child.wait()
            return
        except KeyboardInterrupt:
            number = signal.SIGTERM if number == signal.SIGINT else signal.SIGKILL


def _reason(log: Path, began: int) -> str:
    """What the training has said last."""
    with log.open("rb") as file:
        file.seek(max(began, file.seek(0, 2) - 10_000))
        lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (told or lines or ["it has said nothing"])[-1].strip().rstrip(".")


class _Progress:
    """How far the experiment has come: in a terminal a line that changes, elsewhere a line now and then."""

    def __init__(self, total: int, left: int) -> None:
        self.total, self.left = total, left
        self.done = 0
        self.began = self.last = time.monotonic()
        self.in_terminal = sys.stdout.isatty()

    def show(self, trial: Trial) -> None:
        now = time.monotonic()
        if now - self.last < (0.5 if self.in_terminal else _SECONDS_BETWEEN_LINES):
            return
        self.last = now
        part, steps = 0.0, "starting"
        try:
            told = read_state(trial.folder)
            if told.total_steps and told.state == "running":
                part, steps = (told.step or 0) / told.total_steps, f"step {told.step or 0} of {told.total_steps}"
        except LabError:
            pass
        done = self.done + part
        rest = f", {duration((now - self.began) / done * (self.left - done))} left" if done else ""
        number = self.total - self.left + self.done + 1
        line = f"run {number} of {self.total}: {trial.folder.name}, {steps}{rest}"
        print(f"\r{line}\x1b[K" if self.in_terminal else line, end="" if self.in_terminal else "\n", flush=True)

    def finished(self, trial: Trial) -> None:
        self.done += 1
        run = read_run(trial.folder)
        last = run.evaluations[-1]
        figure = f"{last.bits_per_byte:.4f} bits per byte" if last.bits_per_byte else f"loss {last.val_loss:.4f}"
        rest = self.left - self.done
        left = f", {duration((time.monotonic() - self.began) / self.done * rest)} left" if rest else ""
        clear = "\r\x1b[K" if self.in_terminal else ""
        print(f"{clear}{self.total - rest} of {self.total}  {trial.folder.name}: {figure}{left}", flush=True)


if __name__ == "__main__":
    main()
