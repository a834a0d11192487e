"""Commands to a run: files in ``commands/`` in its folder, written under a temporary name and renamed.

The run looks for them between two steps. Files, because they outlive both sides: a command given while the trainer
evaluates waits there, and a crashed dashboard has lost nothing.
"""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.files import atomic
from lab.files.run_files import COMMANDS_FOLDER
from lab.files.safe_files import entries
from lab.runs.state import ALIVE, read_state

COMMANDS = ("pause", "resume", "stop", "save", "evaluate")
_COMMAND_FILE = re.compile(rf"\d+-\d+-({'|'.join(COMMANDS)})")


MOST = 20
"""Commands that go into one number."""


def encoded(names: Sequence[str]) -> int:
    """Commands in their order, ``MOST`` at most, as one number from 0 to 2**63 - 1: so processes tell each other."""
    code = 0
    for name in reversed(names):
        code = 8 * code + COMMANDS.index(name) + 1
    return code


def decoded(code: int) -> list[str]:
    """The commands that ``encoded`` has made a number of."""
    found = []
    while code:
        code, digit = divmod(code, 8)
        found.append(COMMANDS[digit - 1])
    return found


def send(folder: Path, command: str) -> None:
    """Lays down a command for the run in ``folder``.

    Raises:
        LabError: if there is no such command, or nobody there to obey it.
    """
    if command not in COMMANDS:
        raise LabError(f"there is no command {command}: choose one of {', '.join(COMMANDS)}")
    state = read_state(folder).state
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
