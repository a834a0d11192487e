"""What others take of a machine, and what we take ourselves."""

import subprocess
import sys

from lab.benchmark.disturbance import Others

_WORK = "import time\nwhile time.process_time() < 0.5: pass"


def test_what_we_and_our_children_take_is_not_counted() -> None:
    """Whatever other tests do at the time: half a second of ours would show as that of others."""
    others = Others()
    others.begin()
    at, busy, own = others._now()
    subprocess.run([sys.executable, "-c", _WORK], check=True)
    at_end, busy_end, own_end = others._now()
    assert own_end - own >= 0.45  # a system counts in hundredths of a second, rounded down at both ends
    assert busy_end - busy >= 0.4
    assert at_end > at
    assert 0 <= others.share() <= 1
