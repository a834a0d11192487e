"""What a run is doing: ``state.json`` in its folder, written by the run, read by whoever wants to know."""

import contextlib
import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, get_args

import psutil

from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.files.run_files import STATE_FILE
from lab.files.safe_files import read_json
from lab.files.validation import Kind, nothing_or, number, parts, text, whole
from lab.system import ranks

State = Literal["queued", "running", "paused", "stopping", "stopped", "finished", "failed", "lost"]
"""``lost``: it says that it is alive, and its process is gone. All others are what a run says of itself."""

STATES: tuple[State, ...] = get_args(State)
ALIVE: tuple[State, ...] = ("queued", "running", "paused", "stopping")
"""The states in which a process stands behind a run, or will."""


@dataclass(frozen=True)
class RunState:
    """What a run is doing. None stands for what it has not said: it waits, or an older version has written it."""

    state: State
    pid: int | None = None
    """Of the process behind it; None while it waits."""
    process_started: float | None = None
    """When that process began, in seconds since 1970: a pid alone may be somebody else's by now."""
    updated: float | None = None
    """When this was written, in seconds since 1970."""
    step: int | None = None
    """Finished optimizer steps."""
    total_steps: int | None = None
    """Optimizer steps of the whole run, earlier parts included."""
    tokens_per_second: float | None = None
    """At the last written point; None before the first."""
    reason: str | None = None
    """Why it is in this state, for a person to read, where there is more to say."""


class Progress(TypedDict, total=False):
    """What a run may say beside its state: see ``RunState``."""

    step: int | None
    total_steps: int | None
    tokens_per_second: float | None
    reason: str | None


_KINDS: dict[str, Kind] = {
    "pid": nothing_or(whole(0, 2**31 - 1)),
    "process_started": nothing_or(number()),
    "updated": nothing_or(number()),
    "step": nothing_or(whole()),
    "total_steps": nothing_or(whole()),
    "tokens_per_second": nothing_or(number()),
    "reason": nothing_or(text()),
}
_STATE = parts({"state": text()}, _KINDS)


def write_state(folder: Path, state: State, **fields: Unpack[Progress]) -> None:
    """Writes what this process is doing, with its pid and start time: a pid alone may be somebody else's by now. Of
    the processes of a run, the first speaks for all."""
    if not ranks.is_first():
        return
    me = {"pid": os.getpid(), "process_started": psutil.Process().create_time()}
    # Without fsync: this is written every second, and after a power cut no process would be alive to speak of.
    with atomic.writing(folder / STATE_FILE, sync=False) as file:
        file.write(atomic.utf8(strict_json.dumps({"state": state, **fields, **me, "updated": time.time()}, indent=2)))


def write_queued(folder: Path, **fields: Unpack[Progress]) -> None:
    """Says that a run waits in ``folder`` for its turn. No process stands behind it yet."""
    with atomic.writing(folder / STATE_FILE) as file:
        queued = {"state": "queued", **fields, "pid": None, "updated": time.time()}
        file.write(atomic.utf8(strict_json.dumps(queued, indent=2)))


def write_gone(folder: Path, state: State, reason: str, told: RunState) -> None:
    """Says how a run ended whose process cannot say it any more, or never began; ``told`` is what was known of it."""
    ended = {"state": state, "reason": reason, "pid": None, "updated": time.time()}
    atomic.write_json(folder / STATE_FILE, {**ended, "step": told.step, "total_steps": told.total_steps})


def read_state(folder: Path) -> RunState:
    """What the run in ``folder`` is doing. ``lost``: it says that it is alive, and its process is gone.

    Raises:
        LabError: if ``folder`` is not a run's.
    """
    try:
        found: dict[str, Any] = _STATE(read_json(folder / STATE_FILE), "")
        if found["state"] not in STATES:
            raise ValueError("not a state")
    except ValueError as error:
        raise LabError(f"{folder} is not the folder of a run: there is no readable {STATE_FILE} in it") from error
    told = RunState(**found)
    alive = told.state == "queued" if told.pid is None else is_alive(told.pid, told.process_started or 0.0)
    if told.state in ALIVE and not alive:
        return dataclasses.replace(told, state="lost", reason="its process is gone without a word")
    return told


def is_alive(pid: int, started: float) -> bool:
    """Is the process ``pid`` that started at ``started`` (seconds since 1970) still there?"""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        # The clock's resolution is a hundredth of a second; a process that took over the number started much later.
        return bool(abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE)
    return False


def describe(told: RunState) -> str:
    """``running, step 40 of 188, 612 tokens/s``."""
    text = f"{told.state}, step {told.step or 0} of {told.total_steps or '?'}"
    if told.tokens_per_second:
        text += f", {told.tokens_per_second:,.0f} tokens/s"
    return text + (f" ({told.reason})" if told.reason else "")
