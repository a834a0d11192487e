"""What to type for a run: words, quoted for the shell of the server's machine."""

import os
import re
import shlex
from collections.abc import Iterable

_PLAIN = re.compile(r"[\w./:+=-]+")


def command_line(words: object) -> str | None:
    """What to type for a run that was started with ``words``; None if they are none, for they may come from a file. The
    place that the server has chosen for it is left out."""
    if not isinstance(words, list):
        return None
    return typed(["python", "-m", "lab.train", *(w for w in map(str, words) if not w.startswith("hydra."))])


def typed(words: Iterable[str], powershell: bool = os.name == "nt") -> str:
    """``words`` as a line for a POSIX shell, or for PowerShell, where a quote is doubled within quotes and a comma
    outside them makes a list."""
    if not powershell:
        return shlex.join(words)
    return " ".join(word if _PLAIN.fullmatch(word) else "'{}'".format(word.replace("'", "''")) for word in words)
