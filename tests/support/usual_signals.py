"""Signals as a process has them that was started in a terminal. A background job of a script, and what nohup starts,
ignores some, and so does whatever it starts."""

import signal
from typing import Any

USUAL: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler}
for _name in ("SIGHUP", "SIGQUIT"):
    if hasattr(signal, _name):  # Windows has neither
        USUAL[getattr(signal, _name)] = signal.SIG_DFL


def set_usual() -> dict[signal.Signals, Any]:
    """Sets them. Returns what they were."""
    return {number: signal.signal(number, handler) for number, handler in USUAL.items()}
