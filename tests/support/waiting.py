"""Waiting for something to come to pass, without guessing how long it takes."""

import time
from collections.abc import Callable
from typing import Any


def wait_for(condition: Callable[[], Any], seconds: float = 300) -> Any:
    """Waits until ``condition`` holds; returns what it returned. The limit only catches what hangs."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")
