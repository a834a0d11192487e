"""``python -m lab.dashboard`` whose trainings are forks (``support.forked``)."""

import runpy
import subprocess
from types import SimpleNamespace

from support.forked import popen

from lab.dashboard.trainings import processes

if __name__ == "__main__":
    processes.subprocess = SimpleNamespace(Popen=popen, DEVNULL=subprocess.DEVNULL)  # type: ignore[assignment]
    runpy.run_module("lab.dashboard", run_name="__main__", alter_sys=True)
