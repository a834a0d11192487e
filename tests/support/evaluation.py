"""``lab.evaluate`` inside this process."""

import json
from pathlib import Path
from typing import Any

from support.commands import inside


def evaluate(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs lab.evaluate inside this process. Returns its exit code, standard output and standard error."""
    from lab import evaluate as module

    return inside(module.main, folder, *arguments)


def figures(folder: Path, *arguments: str) -> dict[str, Any]:
    code, out, err = evaluate(folder, "format=json", *arguments)
    assert code == 0, err
    return json.loads(out)
