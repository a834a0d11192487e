"""Tells a run to do something else, or says what it is doing: ``python -m lab.control RUN_FOLDER pause``.

The commands are ``pause``, ``resume``, ``stop``, ``save``, ``evaluate`` and ``status``; see ``lab.runs.command_files``.
"""

import time
from pathlib import Path

from lab.commands.entry import run
from lab.commands.flags import Parser
from lab.commands.flags import number as number_argument
from lab.config.limits import Limit
from lab.errors import LabError
from lab.files.paths import typed_path
from lab.runs.command_files import COMMANDS, commands, send
from lab.runs.state import ALIVE, describe, read_state


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
        state = read_state(folder).state
        if state not in ALIVE or (not commands(folder) and state in reached.get(command, ALIVE)):
            return
        time.sleep(0.1)
    raise LabError(f"{folder} has not obeyed within {timeout:g} seconds: it does so after the step in progress")


if __name__ == "__main__":
    main()
