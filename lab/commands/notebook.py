"""The lab in a notebook or a script: ``from lab import run, verdict``. No command line, nothing left behind."""

import math
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, flag_override, open_dict

from lab.comparison import run_curve, sides
from lab.comparison.verdict import At, Contrast, contrasts
from lab.config import compose, quoting, resolvers, typed_code, typed_overrides
from lab.config.explain import explained
from lab.config.schema import Config, check
from lab.errors import Interrupted, LabError
from lab.files.paths import typed_path
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTModel
from lab.runs import events
from lab.runs.folder import end_in_mistake, existing, note_end
from lab.runs.results import Results
from lab.system.process_state import put_back
from lab.training.notebook_bar import NotebookBar
from lab.training.resume import inherited_overrides
from lab.training.run import Trained, train_model

_one_at_a_time = threading.Lock()
_busy: set[int] = set()
"""The thread that is training."""


@dataclass(frozen=True)
class Outcome:
    """What ``run`` returns."""

    folder: Path
    """The run's folder, as that of a run from the command line."""
    results: Results
    """Losses (nats a token), speed, versions: what ``results.json`` says."""
    curves: dict[str, list[float]]
    """Every logged figure by name, and ``step``: equally long lists, NaN where a figure was not logged at a step.
    ``pandas.DataFrame(outcome.curves)`` is a table."""
    model: GPTModel
    """With its last weights, in evaluation mode."""


def run(overrides: Sequence[str] = (), folder: str | Path | None = None) -> Outcome:
    """Trains, with the same options as ``python -m lab.train``, and the same losses and weights bit for bit.

        outcome = run(["model=nano", "trainer.max_steps=20"])

    The process is left as it was: random numbers, environment, signals, warnings. Two runs at once take turns, for they
    would share torch's random numbers; several at a time are several processes. Ctrl-C ends a run in good order (with
    save=true it is saved) and raises KeyboardInterrupt.

    Args:
        overrides: words as they are typed behind lab.train, without quotes for a shell: no ``-m``, no flags.
        folder: the run's folder; left out, a new one below ``outputs/``.

    Raises:
        LabError: if something that the caller can mend is in the way: one sentence. Nothing exits.
    """
    words = _words(overrides, folder)
    if threading.get_ident() in _busy:
        raise LabError("a run within a run: the inner one would use up the random numbers of the outer one")
    with _one_at_a_time, put_back():
        _busy.add(threading.get_ident())
        try:
            return _run(words, Path.cwd())
        finally:
            _busy.discard(threading.get_ident())


def verdict(
    baseline: Sequence[Outcome | str | Path], idea: Sequence[Outcome | str | Path], by: At = "tokens"
) -> Contrast:
    """Is ``idea`` better than ``baseline``? Each is a list of outcomes of ``run``, or of run folders; one a seed.

    Returns: ``.sentence`` says it; ``.measured`` has the figures at the end, at the best, and at equal cost.

    Raises:
        LabError: if a side is empty, or a run has measured nothing.
    """
    groups = [[run_curve.read_run(_place(one)) for one in side] for side in (baseline, idea)]
    for group in groups:
        if not group or not all(one.evaluations for one in group):
            raise LabError("a verdict needs a run on each side, and an evaluation in each run")
    (found,) = contrasts(sides.named(groups), by)
    return found


def _place(one: Outcome | str | Path) -> Path:
    return one.folder if isinstance(one, Outcome) else typed_path(str(one), Path.cwd())


def _words(overrides: Sequence[str], folder: str | Path | None) -> list[str]:
    if isinstance(overrides, str):
        raise LabError(f"run takes a list of options, not one text: write run({overrides.split()!r})")
    words = [str(word) for word in overrides]
    for word in words:
        if "=" not in word or word.startswith(("-", "hydra.sweep", "hydra.mode", "sweep=")):
            raise LabError(f"{word} is no option of a single run: give option=value; sweeps are for the command line")
    if folder is not None:
        words.append(f"hydra.run.dir={folder}")
    typed_overrides.refuse_senseless(words)
    return words


def _run(words: list[str], start_folder: Path) -> Outcome:
    there = existing(words)
    with explained(words), _composed(words) as (composed, place):
        try:
            config = _checked(composed)
            with typed_code.allowed(words, config.parts, start_folder):
                trained = train_model(config, place, start_folder, NotebookBar())
        except LabError as error:
            end_in_mistake(place, there, error)
            raise
        except Interrupted as stop:  # before there was anything to end in good order
            note_end(place, "stopped", stop.reason)
            raise _as_told(stop) from None
        except BaseException as error:
            note_end(place, "failed", f"{type(error).__name__}: {error}")
            raise
    with typed_code.allowed(words, config.parts, start_folder):
        return _outcome(trained, place)


def _checked(composed: DictConfig) -> Config:
    config = check(composed)
    if config.trainer.processes > 1:
        raise LabError("several devices are for the command line, which starts a process for each: python -m lab.train")
    return config


def _outcome(trained: Trained, place: Path) -> Outcome:
    if trained.interrupted is not None and trained.interrupted.exit_code:
        raise _as_told(trained.interrupted)
    model = trained.model if trained.model is not None else open_pretrained(str(place), place).model
    return Outcome(place, trained.results, curves(place), model.eval())


def _as_told(stop: Interrupted) -> KeyboardInterrupt:
    """What to raise for a run that was told to end; but a signal other than Ctrl-C goes on to whoever waits for it."""
    if stop.exit_code > 128 and stop.reason != signal.SIGINT.name:
        signal.raise_signal(stop.exit_code - 128)
    return KeyboardInterrupt(stop.reason)


def curves(folder: Path) -> dict[str, list[float]]:
    """The curves of a run folder: see ``Outcome.curves``."""
    points: dict[int, dict[str, float]] = {}
    for event in events.read(folder):
        if event["kind"] == "metrics":
            points.setdefault(event["step"], {}).update(events.figures(event))
    names = list(dict.fromkeys(name for figures in points.values() for name in figures))
    steps = sorted(points)
    return {"step": [float(step) for step in steps]} | {
        name: [points[step].get(name, math.nan) for step in steps] for name in names if name != "step"
    }


@contextmanager
def _composed(words: Sequence[str]) -> Iterator[tuple[DictConfig, Path]]:
    """The options, and the run's folder, made. Within it, Hydra's account of the run is there for whoever asks
    (where a logger writes, which files were chosen); at its end, what was there before."""
    inherited = inherited_overrides(list(words), Path.cwd()) if any(w.startswith("resume=") for w in words) else []
    composed = compose.compose_quoted([*inherited, *quoting.quote_literals(words)], with_hydra=True)
    account = HydraConfig.instance()
    before = account.cfg
    try:
        account.set_config(composed)
        resolvers.unused_folder.cache_clear()
        place = Path.cwd() / str(composed.hydra.run.dir)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise resolvers.cannot_be_made(place, error) from error
        _set(composed, place)
        account.set_config(composed)
        with flag_override(composed, ["struct", "readonly"], [False, False]):
            del composed["hydra"]
        yield composed, place
    finally:
        account.cfg = before


def _set(composed: DictConfig, place: Path) -> None:
    OmegaConf.set_readonly(composed.hydra, False)
    with open_dict(composed):
        composed.hydra.runtime.output_dir = str(place)
