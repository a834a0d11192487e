"""Standard streams as a shell may open them: in any encoding, closed, full, gone."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import ROOT

ASCII = {"PYTHONIOENCODING": "", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


UTF8 = {"PYTHONIOENCODING": "utf-8"}
"""What a test has that does not say otherwise, whatever the machine has."""


def shell(folder: Path, line: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """``line`` in a shell, where ``$lab`` is ``python -m lab``; its exit code is that of the command before a pipe."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "python": sys.executable, **UTF8, **env},
        capture_output=True,
        check=False,
    )


class Failing(io.RawIOBase):
    """A stream like a terminal that has vanished, or a disk that has filled up."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise self.error


def as_own(monkeypatch: pytest.MonkeyPatch, name: str, raw: Any, encoding: str = "utf-8") -> None:
    """``raw`` as this process's own standard stream, as a shell would have opened it."""
    text = None if raw is None else io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding)
    monkeypatch.setattr(sys, name, text)
    monkeypatch.setattr(sys, f"__{name}__", text)


VANISHED = OSError(5, "Input/output error")
CLOSED_PIPE = BrokenPipeError(32, "Broken pipe")
