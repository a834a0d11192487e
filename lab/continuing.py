"""Going on with a run: its options, its curve, its checkpoints."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from lab import atomic, checkpoint, cli, events
from lab.callbacks import write_sample
from lab.errors import LabError
from lab.eventlogger import EventLogger

_INHERITED = ("model", "data", "optimizer", "schedule", "trainer", "sample")
_INHERITED_SINGLE = ("seed", "eval_every", "log_every", "save", "save_every", "keep")


def inherited_overrides(typed: Sequence[str], start_folder: Path) -> list[str]:
    """The options of the run that ``resume=`` names, for all that was not typed again.

    ``resume=last`` alone goes on with the same model on the same corpus, whatever the defaults are. Only plain values
    are taken over: a checkpoint comes from who knows where, and must not say which class is built or what is fetched.

    Raises:
        LabError: if there is no such checkpoint.
    """
    words = {word.partition("=")[0].lstrip("+"): word.partition("=")[2] for word in typed if "=" in word}
    wanted = words.get("resume", "null")
    if wanted in ("null", "") or "experiment" in words:
        return []
    try:
        path = find(wanted, start_folder, Path(words["hydra.run.dir"]) if "hydra.run.dir" in words else None)
    except LabError:
        return []  # said by the run itself, with a folder to say it in
    if path is None:
        return []
    then = checkpoint.load(path)["lab"]["config"]
    found = []
    if "corpus" not in words and then["corpus"]["name"] in cli.choices("corpus"):
        found.append(f"corpus={then['corpus']['name']}")
        if then["corpus"]["name"] == "text" and "corpus.path" not in words:
            found.append(cli.quoted("corpus.path", str(then["corpus"]["path"])))
    known = set(cli.options())
    for group in _INHERITED:
        if group not in words:  # who picks another file of the group means that file
            found += _leaves(then.get(group), f"{group}.", words, known)
    found += _leaves({name: then.get(name) for name in _INHERITED_SINGLE}, "", words, known)
    if words.get("save") == "false":
        found = [word for word in found if not word.startswith("save_every=")]
    if "trainer.max_epochs" in words and "trainer.max_steps" not in words:
        found = [word for word in found if not word.startswith("trainer.max_steps=")]
    return found


def _leaves(values: Any, prefix: str, typed: dict[str, str], known: set[str]) -> list[str]:
    if not isinstance(values, dict):
        return []
    found = []
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name == "vocab_size" or key in typed or key not in known:
            continue
        if isinstance(value, bool) or value is None:
            found.append(f"{key}={str(value).lower() if value is not None else 'null'}")
        elif isinstance(value, int | float):
            found.append(f"{key}={value!r}")
        elif isinstance(value, list) and all(isinstance(item, int | float) for item in value):
            found.append(f"{key}=[{','.join(map(repr, value))}]")
        elif isinstance(value, str):
            found.append(cli.quoted(key, value))
    return found


def first_weights(earlier: dict[str, Any]) -> str | None:
    """What the run that a checkpoint is from began with, as ``init_from`` named it: for the record."""
    named = earlier["lab"]["config"].get("init_from")
    return named if isinstance(named, str) else None


def find(wanted: str, start_folder: Path, run_folder: Path | None) -> Path | None:
    """The checkpoint to continue from, or None to start afresh.

    ``auto`` continues what is in the run folder, if anything is: the word for a job that a scheduler may start again.

    Raises:
        LabError: if it was named outright and isn't there.
    """
    if wanted != "auto":
        return checkpoint.find(wanted, start_folder)
    if run_folder is None:
        raise LabError("resume=auto continues the run in hydra.run.dir=FOLDER: give that, too")
    here = start_folder / run_folder
    return checkpoint.find(str(here), start_folder) if list((here / checkpoint.FOLDER).glob("*.ckpt")) else None


def run_folder_of(path: Path) -> Path:
    """The run folder that a checkpoint lies in."""
    return path.resolve().parent.parent


def carry_over(path: Path, checkpoint_: dict[str, Any], folder: Path) -> list[events.Event]:
    """Gives ``folder`` the log of the run that the checkpoint is from, up to its step and no further. Returns it.

    The same when it is the very folder: what a killed process did after its last checkpoint will be done again.
    """
    step = int(checkpoint_["global_step"])
    # Taken before the evaluation of its step (by a signal, say)? Then that evaluation is still to be done.
    evaluated = checkpoint_["callbacks"]["Record"]["val_step"] == step
    told = list(events.read(run_folder_of(path)))
    in_place = run_folder_of(path) == folder.resolve()
    kept = [
        event
        for event in told
        if _is_valid_until(event, step, evaluated) and (in_place or event["kind"] in ("metrics", "sample"))
    ]
    events.begin_again(folder, told, kept, step)
    # Their own files would show the steps after the checkpoint as well; they are written again from the log.
    for curves in ("tensorboard", "csv"):
        shutil.rmtree(folder / curves, ignore_errors=True)
    return [event for event in kept if event["kind"] in ("metrics", "sample")]


def _is_valid_until(event: events.Event, step: int, evaluated: bool) -> bool:
    """Does an event belong to the run up to ``step``? What is no measurement is history, and stays true."""
    if event["kind"] not in ("metrics", "sample"):
        return True
    of_evaluation = "val_loss" in event or event["kind"] == "sample"
    return event["step"] < step or (event["step"] == step and (evaluated or not of_evaluation))


def replay(carried: list[events.Event], loggers: list[Logger]) -> None:
    """Draws the curve of the earlier run with the loggers of this one (but for the log, which has it already)."""
    others = [logger for logger in loggers if not isinstance(logger, EventLogger)]
    for event in carried:
        if event["kind"] == "sample":
            write_sample(others, event["text"], event["step"])
        else:
            figures = {k: v for k, v in event.items() if k not in ("seq", "time", "kind", "step")}
            for logger in others:
                logger.log_metrics(figures, step=event["step"])


def clean_up(folder: Path) -> None:
    """Removes temporary files that a killed process left in a run folder."""
    atomic.remove_leftovers(folder)
    atomic.remove_leftovers(folder / checkpoint.FOLDER)
