"""A sweep that is told to end ends its jobs first."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.waiting import wait_for

from lab.errors import Interrupted
from lab.runs.state import read_state
from lab.sweeps import stopping
from lab.sweeps.jobs import Job

CHILD = """
import signal, sys, time
from pathlib import Path
from lab.runs.state import write_state
folder = Path(sys.argv[1])
def end(*_):
    write_state(folder, "stopped", reason="SIGTERM")
    sys.exit()
signal.signal(signal.SIGTERM, end)
write_state(folder, "running")
while True:
    time.sleep(0.1)
"""


def test_children_end_in_good_order_and_nobody_else(tmp_path: Path) -> None:
    mine, other = Job(0, (), tmp_path / "0"), Job(1, (), tmp_path / "1")
    mine.folder.mkdir()
    other.folder.mkdir()
    me = psutil.Process()
    stranger = {"state": "running", "pid": os.getpid(), "process_started": me.create_time()}
    (other.folder / "state.json").write_text(json.dumps(stranger))  # alive, and no child of ours
    child = subprocess.Popen([sys.executable, "-c", CHILD, mine.folder])
    wait_for(lambda: (mine.folder / "state.json").exists())
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as ended, stopping.HandedOn(tmp_path, [mine, other]):
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.exit_code == 128 + signal.SIGTERM
    assert read_state(mine.folder).state == "stopped"
    assert child.wait() == 0
    assert signal.getsignal(signal.SIGTERM) == before
    assert not stopping.is_told(tmp_path)
