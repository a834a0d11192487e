"""Going on with a run: its options, its curve, its checkpoints."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from lab.errors import LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.runs import checkpoint, events, newest, ownership
from lab.runs.checkpoint_schema import CheckpointDict, RecordState
from lab.runs.folder import has_checkpoint, run_folder_of
from lab.system import ranks
from lab.training.callbacks import write_alert, write_sample
from lab.training.inherited_options import inherit


def inherited_overrides(typed: Sequence[str], start_folder: Path) -> list[str]:
    """The options of the run that ``resume=`` names, for all that was not typed again.

    ``resume=last`` alone goes on with the same model on the same corpus, whatever the defaults are. What cannot be
    taken over is said on standard error.

    Raises:
        LabError: if the checkpoint is no use.
    """
    words = {word.partition("=")[0].lstrip("+"): word.partition("=")[2] for word in typed if "=" in word}
    wanted = words.get("resume", "null")
    if wanted in ("null", ""):
        return []
    try:
        chosen = words.get("hydra.run.dir")
        path = find(wanted, start_folder, typed_path(chosen, start_folder) if chosen else None)
    except LabError:
        return []  # said by the run itself, with a folder to say it in
    if path is None:
        return []
    # The metadata are enough to go by: the run will load, and check, the whole of it.
    found, left_out = inherit(checkpoint.read_metadata(path)[0]["config"], words)
    if left_out and ranks.is_first():
        names = ", ".join(left_out)
        print(f"not taken over from {path}: {names}; type again what the run should go on with", file=sys.stderr)
    return found


@dataclass(frozen=True)
class Earlier:
    """The checkpoint that a run goes on from."""

    path: Path
    checkpoint: CheckpointDict
    """As ``lab.runs.checkpoint.load`` gave it: checked, and on the CPU."""

    @property
    def step(self) -> int:
        """Optimizer steps that were finished."""
        return self.checkpoint["global_step"]

    @property
    def position(self) -> int:
        """Training windows that were used."""
        return self.checkpoint["LabData"]["position"]

    @property
    def plan(self) -> dict[str, Any]:
        """The plan of that run (see ``lab.config.plan.Plan``)."""
        return dict(self.checkpoint["lab"]["plan"])

    @property
    def run_folder(self) -> Path:
        """The folder of the run that it was written by."""
        return run_folder_of(self.path)

    @property
    def first_weights(self) -> str | None:
        """What that run began with, as ``init_from`` named it: for the record."""
        named = self.checkpoint["lab"]["config"].get("init_from")
        return named if isinstance(named, str) else None


def open_earlier(wanted: str | None, start_folder: Path, run_folder: Path) -> Earlier | None:
    """The checkpoint that ``resume=`` names, loaded; None where there is nothing to go on from.

    Raises:
        LabError: if it was named outright and isn't there, or is no use.
    """
    named = _named(wanted, start_folder, run_folder) if wanted else None
    return Earlier(*checkpoint.find_and_load(named, start_folder)) if named else None


def find(wanted: str, start_folder: Path, run_folder: Path | None) -> Path | None:
    """The checkpoint to continue from, or None to start afresh.

    Raises:
        LabError: if it was named outright and isn't there.
    """
    named = _named(wanted, start_folder, run_folder)
    return checkpoint.find(named, start_folder) if named else None


def _named(wanted: str, start_folder: Path, run_folder: Path | None) -> str | None:
    """What to look for. ``auto`` continues what is in the run folder, if anything is: the word for a job that a
    scheduler may start again."""
    if wanted != "auto":
        return wanted
    if run_folder is None:
        raise LabError("resume=auto continues the run in hydra.run.dir=FOLDER: give that, too")
    here = start_folder / run_folder
    return str(here) if has_checkpoint(here) else None


def carry_over(earlier: Earlier, folder: Path) -> list[events.Event]:
    """Gives ``folder`` the log of the run that the checkpoint is from, up to its step and no further. Returns it.

    The same when it is the very folder: what a killed process did after its last checkpoint will be done again.
    """
    step = earlier.step
    # Taken before the evaluation of its step (by a signal, say)? Then that evaluation is still to be done.
    record: RecordState = earlier.checkpoint["callbacks"]["Record"]
    evaluated = record["val_step"] == step
    told = list(events.read(earlier.run_folder))
    in_place = earlier.run_folder == folder.resolve()
    kept = [
        event for event in told if _is_valid_until(event, step, evaluated) and (in_place or _is_of_the_curve(event))
    ]
    events.begin_again(folder, told, kept, step)
    return [event for event in kept if _is_of_the_curve(event)]


def _is_of_the_curve(event: events.Event) -> bool:
    """Was it measured, or follows from what was? That a run has failed, say, is of the process that did."""
    return event["kind"] in ("metrics", "sample") or (event["kind"] == "alert" and event["what"] != "failed")


def _is_valid_until(event: events.Event, step: int, evaluated: bool) -> bool:
    """Does an event belong to the run up to ``step``? What is not of its curve is history, and stays true."""
    if not _is_of_the_curve(event):
        return True
    of_evaluation = "val_loss" in event or "spent_tokens" in event or event["kind"] == "sample"
    of_evaluation = of_evaluation or (event["kind"] == "alert" and event["what"] == "overfitting")
    return event["step"] < step or (event["step"] == step and (evaluated or not of_evaluation))


def replay(carried: list[events.Event], loggers: list[Logger]) -> None:
    """Draws the curve of the earlier run with the loggers of the options; the log has it already."""
    for event in carried:
        if event["kind"] == "sample":
            write_sample(loggers, event["text"], event["step"])
        elif event["kind"] == "alert":
            write_alert(loggers, event, event["step"])
        elif event["kind"] == "metrics":
            for logger in loggers:
                logger.log_metrics(events.figures(event), step=event["step"])


def clean_up(folder: Path) -> None:
    """Removes temporary files that a killed process left in a run folder. To be asked by the first of the run's
    processes: what the others would find may be what it is writing."""
    if not ranks.is_first():
        return
    atomic.remove_leftovers(folder, ownership.is_name)
    atomic.remove_leftovers(folder / CHECKPOINTS_FOLDER, newest.OWN_NAME.fullmatch)
