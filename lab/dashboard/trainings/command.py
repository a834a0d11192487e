"""A command of the lab in a process of its own, waited for: it reads whole models, and ends with what it took."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.dashboard.http_errors import ApiError


def output_of(
    command: str, words: Sequence[str], root: Path, failed: str, patience: float | None = None, too_long: str = ""
) -> str:
    """What ``python -m COMMAND WORDS`` prints, run in ``root``.

    Args:
        failed: what to say where the command fails and does not say why.
        patience: seconds that it may take; None for as long as it likes.
        too_long: what to say if it takes more.

    Raises:
        ApiError: with the sentence in which the command says what is wrong.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", command, *words],
            cwd=root,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        raise ApiError(422, too_long) from None
    if done.returncode:
        # Libraries may have said something before it; where there is no such line, it is a traceback.
        _, *told = re.split(r"^error: ", done.stderr, flags=re.MULTILINE)
        raise ApiError(422, told[-1].strip() if told else failed)
    return done.stdout
