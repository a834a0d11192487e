"""The jobs of a sweep, and what has become of them: read from their folders, whoever has run them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.comparison.run_curve import Evaluation, read_run
from lab.errors import LabError, shown
from lab.runs.folder import has_begun
from lab.runs.state import State, read_state

PRUNED = "pruned: its validation loss was above the median of the others"
"""Why a job was stopped that its search has given up."""

JobState = State | Literal["pruned", "not begun"]
OVER: tuple[JobState, ...] = ("finished", "pruned")
"""What need not be run again."""


@dataclass(frozen=True)
class Job:
    """A run of a sweep."""

    number: int
    """As Hydra counts them, from 0."""
    words: tuple[str, ...]
    """Its options, in Hydra's override grammar."""
    folder: Path

    @property
    def options(self) -> dict[str, str]:
        """Its options by name, as they were typed."""
        return {name.lstrip("+"): value for name, _, value in (word.partition("=") for word in self.words)}


@dataclass(frozen=True)
class Outcome:
    """What has become of a job."""

    state: JobState
    reason: str | None = None
    """Why it is in this state, where there is more to say."""
    steps: str = ""
    """``40 of 188``."""


def outcome(job: Job) -> Outcome:
    """What has become of ``job``, as its folder says."""
    if not has_begun(job.folder):
        return Outcome("not begun")
    try:
        told = read_state(job.folder)
    except LabError:
        return Outcome("lost", "it has left no word of what it was doing")
    steps = f"{told.step or 0} of {told.total_steps or '?'}"
    if told.state == "stopped" and told.reason == PRUNED:
        return Outcome("pruned", None, steps)
    return Outcome(told.state, told.reason, steps)


def best_evaluation(job: Job) -> Evaluation | None:
    """The evaluation of ``job`` with the lowest validation loss; None if there was none."""
    run = read_run(job.folder)
    return run.best if run.evaluations else None


def differing(jobs: Sequence[Job]) -> list[str]:
    """The options that are not the same in all ``jobs``."""
    options = [job.options for job in jobs]
    names = dict.fromkeys(name for one in options for name in one)
    return [name for name in names if len({one.get(name) for one in options}) > 1]


def value(job: Job, name: str) -> str:
    """An option of a job, short enough to be read; nothing if it has none of that name."""
    text = job.options.get(name, "")
    try:
        return f"{float(text):.4g}" if "." in text and len(text) > 8 else shown(text, 40)
    except ValueError:
        return shown(text, 40)


def label(job: Job, names: Sequence[str]) -> str:
    """``lr=0.001, seed=1``: as ``described``, each option without its group where that is clear."""
    ends = [name.rpartition(".")[2] for name in names]
    short = {name: end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)}
    return ", ".join(f"{short[name]}={value(job, name)}" for name in names if name in job.options)


def described(job: Job, names: Sequence[str]) -> str:
    """``optimizer.lr=0.001 seed=1``: those of its options that are among ``names``."""
    return " ".join(f"{name}={value(job, name)}" for name in names if name in job.options)
