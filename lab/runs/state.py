"""What a run is doing: ``state.json`` in its folder, written by the run, read by whoever wants to know."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import psutil

from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.files.safe_files import read_json
from lab.files.validation import nothing_or, number, parts, plain, text, whole

STATE_FILE = "state.json"
ALIVE = ("queued", "running", "paused", "stopping")
"""The states in which a process stands behind a run, or will."""
STATES = (*ALIVE, "stopped", "finished", "failed", "lost")

_STATE = parts(
    {"state": text()},
    {
        "pid": nothing_or(whole(0, 2**31 - 1)),
        "process_started": nothing_or(number()),
        "updated": nothing_or(number()),
        "step": nothing_or(whole()),
        "total_steps": nothing_or(whole()),
        "tokens_per_second": nothing_or(number()),
        "reason": nothing_or(text()),
    },
    others=plain,
)


def write_state(folder: Path, state: str, **fields: Any) -> None:
    """Writes what this process is doing, with its pid and start time: a pid alone may be somebody else's by now."""
    me = {"pid": os.getpid(), "process_started": psutil.Process().create_time()}
    # Without fsync: this is written every second, and after a power cut no process would be alive to speak of.
    with atomic.writing(folder / STATE_FILE, sync=False) as file:
        file.write(atomic.utf8(strict_json.dumps({"state": state, **fields, **me, "updated": time.time()}, indent=2)))


def write_queued(folder: Path, **fields: Any) -> None:
    """Says that a run waits in ``folder`` for its turn. No process stands behind it yet."""
    with atomic.writing(folder / STATE_FILE) as file:
        queued = {"state": "queued", **fields, "pid": None, "updated": time.time()}
        file.write(atomic.utf8(strict_json.dumps(queued, indent=2)))


def read_state(folder: Path) -> dict[str, Any]:
    """What the run in ``folder`` is doing. ``lost``: it says that it is alive, and its process is gone.

    Raises:
        LabError: if ``folder`` is not a run's.
    """
    try:
        state: dict[str, Any] = _STATE(read_json(folder / STATE_FILE), "")
        if state["state"] not in STATES:
            raise ValueError("not a state")
    except ValueError as error:
        raise LabError(f"{folder} is not the folder of a run: there is no readable {STATE_FILE} in it") from error
    pid, started = state.get("pid"), state.get("process_started") or 0.0
    alive = state["state"] == "queued" if pid is None else is_alive(pid, started)
    if state["state"] in ALIVE and not alive:
        state |= {"state": "lost", "reason": "its process is gone without a word"}
    return state


def is_alive(pid: int, started: float) -> bool:
    """Is the process ``pid`` that started at ``started`` (seconds since 1970) still there?"""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        # The clock's resolution is a hundredth of a second; a process that took over the number started much later.
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    return False


def describe(state: dict[str, Any]) -> str:
    """``running, step 40 of 188, 612 tokens/s``."""
    text = f"{state['state']}, step {state.get('step') or 0} of {state.get('total_steps') or '?'}"
    if state.get("tokens_per_second"):
        text += f", {state['tokens_per_second']:,.0f} tokens/s"
    return text + (f" ({state['reason']})" if state.get("reason") else "")
