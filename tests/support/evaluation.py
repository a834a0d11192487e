"""``lab.evaluate`` inside this process."""

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any


def evaluate(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs lab.evaluate inside this process. Returns its exit code, standard output and standard error."""
    from lab import evaluate as module

    out, err, code, before = io.StringIO(), io.StringIO(), 0, (sys.argv, Path.cwd())
    try:
        sys.argv = ["evaluate", *arguments]
        os.chdir(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            module.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before[0]
        os.chdir(before[1])
    return code, out.getvalue(), err.getvalue()


def figures(folder: Path, *arguments: str) -> dict[str, Any]:
    code, out, err = evaluate(folder, "format=json", *arguments)
    assert code == 0, err
    return json.loads(out)
