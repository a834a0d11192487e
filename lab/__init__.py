"""A laboratory for learning how GPTs are trained.

Start with ``model.py``, the model itself, and ``training/run.py``, the story of a run. In a notebook:
``from lab import run``.
"""

import warnings
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_FOR_NOTEBOOKS = ("run", "verdict")


def __getattr__(name: str) -> Any:
    # When it is asked for: whoever wants lab.model alone does not wait for Lightning.
    if name in _FOR_NOTEBOOKS:
        with warnings.catch_warnings():  # of tqdm, which in a notebook wants another library for bars that nobody sees
            warnings.filterwarnings("ignore", "IProgress not found")
            import_module("tqdm.auto")
        return getattr(import_module("lab.commands.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
