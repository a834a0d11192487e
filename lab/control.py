"""Steering a run from outside: what it is doing, and telling it to do something else.

    python -m lab.control RUN_FOLDER pause|resume|stop|save|evaluate|status

A run tells what it is doing in ``state.json`` in its folder. Commands are files in ``commands/`` beside it, written
under a temporary name and renamed, and looked for between two steps. Files, because they outlive both sides: a command
given while the trainer evaluates waits there, and a crashed dashboard has lost nothing.
"""

import contextlib
import os
import re
import time
from pathlib import Path
from typing import Any

import psutil

from lab import atomic, strictjson
from lab.arguments import Parser
from lab.arguments import number as number_argument
from lab.command import run
from lab.config import Limit
from lab.errors import LabError
from lab.paths import typed_path
from lab.plainfile import entries, read_json
from lab.schema import nothing_or, number, parts, plain, text, whole

STATE_FILE = "state.json"
COMMANDS_FOLDER = "commands"
COMMANDS = ("pause", "resume", "stop", "save", "evaluate")
_COMMAND_FILE = re.compile(rf"\d+-\d+-({'|'.join(COMMANDS)})")
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
        file.write(atomic.utf8(strictjson.dumps({"state": state, **fields, **me, "updated": time.time()}, indent=2)))


def write_queued(folder: Path, **fields: Any) -> None:
    """Says that a run waits in ``folder`` for its turn. No process stands behind it yet."""
    with atomic.writing(folder / STATE_FILE) as file:
        queued = {"state": "queued", **fields, "pid": None, "updated": time.time()}
        file.write(atomic.utf8(strictjson.dumps(queued, indent=2)))


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


def send(folder: Path, command: str) -> None:
    """Lays down a command for the run in ``folder``.

    Raises:
        LabError: if there is no such command, or nobody there to obey it.
    """
    if command not in COMMANDS:
        raise LabError(f"there is no command {command}: choose one of {', '.join(COMMANDS)}")
    state = read_state(folder)["state"]
    if state not in ALIVE or state == "queued":
        raise LabError(f"{folder} cannot {command}: the run is {state}")
    if command == "resume" and state != "paused":
        raise LabError(f"{folder} cannot resume: the run is {state}, not paused")
    if (folder / COMMANDS_FOLDER).is_symlink():
        raise LabError(f"{folder / COMMANDS_FOLDER} is a link, and nothing is written through it: remove it")
    # The time in the name keeps commands in their order.
    atomic.write_text(folder / COMMANDS_FOLDER / f"{time.time_ns()}-{os.getpid()}-{command}", "")


def commands(folder: Path) -> list[tuple[str, Path]]:
    """The commands that lie there, oldest first, each with its file; who has obeyed one removes its file. Files with
    any other name are not for us."""
    inbox = folder / COMMANDS_FOLDER
    # What is obeyed is removed: behind a link, that would be somebody else's files.
    files = [entry.name for entry in entries(inbox) if not entry.is_dir(follow_symlinks=False)]
    names = sorted(name for name in files if _COMMAND_FILE.fullmatch(name))
    return [(name.rpartition("-")[2], inbox / name) for name in names]


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


def main() -> None:
    """The command line."""
    run(_start)


def _start() -> None:
    parser = Parser(prog="python -m lab.control", description="Steers a run from outside.")
    parser.add_argument("run", help="the run's folder")
    parser.add_argument("command", choices=[*COMMANDS, "status"])
    seconds = number_argument(float, Limit(0, 1e9))
    parser.add_argument("--timeout", type=seconds, default=60, help="seconds to wait for the run to obey (default 60)")
    arguments = parser.parse_args()
    folder = typed_path(arguments.run, Path())
    if arguments.command != "status":
        send(folder, arguments.command)
        _wait(folder, arguments.command, arguments.timeout)
    print(describe(read_state(folder)))


def _wait(folder: Path, command: str, timeout: float) -> None:
    """Waits until the run has taken the command and is in the state that it leads to."""
    reached = {"pause": ("paused",), "resume": ("running",), "stop": ("stopped", "finished")}
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        state = read_state(folder)["state"]
        if state not in ALIVE or (not commands(folder) and state in reached.get(command, ALIVE)):
            return
        time.sleep(0.1)
    raise LabError(f"{folder} has not obeyed within {timeout:g} seconds: it does so after the step in progress")


if __name__ == "__main__":
    main()
