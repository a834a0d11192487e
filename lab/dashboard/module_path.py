"""No code out of the folder that is shown: Python looks for modules where it is started, and trainings start there.

``python -m`` puts the folder that it is typed in before all others, so that a ``torch.py`` that somebody has downloaded
would be taken for torch. A server may not do that in a folder that it shows.
"""

import importlib.machinery
import os
import sys

import lab

# Nothing else is imported above: Python has loaded these already, and any other module could be somebody's.


def _home_of(file: str) -> str:
    return os.path.dirname(os.path.dirname(os.path.realpath(file)))


_HOME = _home_of(lab.__file__)
"""The folder that this very package is imported from."""


def leave_out_here() -> None:
    """Takes the folder we are in out of Python's path, for this process and all that it starts, unless the lab itself
    is imported from there."""
    if not sys.flags.safe_path and sys.path and os.path.realpath(sys.path[0]) == os.path.realpath(os.curdir):
        del sys.path[0]
    os.environ["PYTHONSAFEPATH"] = "1"
    # What the user has put there stays; but a folder that is named relatively is another one for a training.
    named = [os.path.abspath(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    if not _is_found():
        sys.path.insert(0, _HOME)
        named.insert(0, _HOME)
    os.environ["PYTHONPATH"] = os.pathsep.join(named)


def _is_found() -> bool:
    found = importlib.machinery.PathFinder.find_spec("lab", sys.path)
    return found is not None and found.origin is not None and _home_of(found.origin) == _HOME
