"""No code out of the folder that is shown: Python looks for modules where it is started, and trainings start there.

``python -m`` puts the folder that it is typed in before all others, so that a ``torch.py`` that somebody has downloaded
would be taken for torch. A server may not do that in a folder that it shows.
"""

import importlib.machinery
import os
import sys
from pathlib import Path

import lab

_HOME = Path(lab.__file__).resolve().parent.parent
"""The folder that this very package is imported from."""


def leave_out_here() -> None:
    """Takes the folder we are in out of Python's path, for this process and all that it starts, unless the lab itself
    is imported from there."""
    if not sys.flags.safe_path and sys.path and Path(sys.path[0] or ".").resolve() == Path.cwd():
        del sys.path[0]
    os.environ["PYTHONSAFEPATH"] = "1"
    # What the user has put there stays; but a folder that is named relatively is another one for a training.
    named = [str(Path(part).resolve()) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    if not _is_found():
        sys.path.insert(0, str(_HOME))
        named.insert(0, str(_HOME))
    os.environ["PYTHONPATH"] = os.pathsep.join(named)


def _is_found() -> bool:
    found = importlib.machinery.PathFinder.find_spec("lab", sys.path)
    return found is not None and found.origin is not None and Path(found.origin).resolve().parent.parent == _HOME
