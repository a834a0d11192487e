"""Where the time of a run's steps goes: ``lab.profile`` with the run's options, asked for and kept in its folder."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.dashboard.http_errors import ApiError
from lab.dashboard.settings import Settings
from lab.dashboard.store import inside_root
from lab.dashboard.trainings import command
from lab.files import atomic, strict_json
from lab.files.run_files import PROFILE_FILE
from lab.files.safe_files import read_json

_STEPS = 3
_PATIENCE = 600.0
"""Seconds. A model that takes longer for a dozen steps is measured on the command line."""

_measuring = threading.Lock()


def read(folder: Path) -> dict[str, Any]:
    """What was measured last; empty if nothing was."""
    return read_json(folder / PROFILE_FILE)


def measure(folder: Path, words: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Takes a few steps with a run's options, ``words`` for a command line, in a process of its own.

    Raises:
        ApiError: if another one is being measured, or these options cannot be measured from here.
    """
    target = folder / PROFILE_FILE
    inside_root.refuse_links_to(target, settings.root)
    if not _measuring.acquire(blocking=False):
        raise ApiError(409, "another run is being measured: wait until it is done, for two would slow each other down")
    try:
        told = command.output_of(
            "lab.profile",
            [f"steps={_STEPS}", "format=json", *words],
            settings.root,
            failed="the steps could not be measured",
            patience=_PATIENCE,
            too_long=f"a few steps took more than {_PATIENCE / 60:.0f} minutes: measure a smaller model",
        )
        found: dict[str, Any] = strict_json.loads(told)
        atomic.write_text(target, strict_json.dumps(found) + "\n")
        return found
    finally:
        _measuring.release()
