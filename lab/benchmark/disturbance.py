"""How much of the machine others took while something was measured."""

import os
import time

import psutil


class Others:
    """The share of all processor time that went to processes which are neither this one nor its descendants."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._mark = self._now()

    def begin(self) -> None:
        """From here on."""
        self._mark = self._now()

    def share(self) -> float:
        """Up to here: 0 to 1 of what all cores of the machine could have done. A system counts in hundredths of a
        second, so that a figure of less than a few tenths of a second is a rough one."""
        at, busy, own = (now - then for now, then in zip(self._now(), self._mark, strict=True))
        return min(1.0, max(0.0, (busy - own) / max(1e-9, at * (os.cpu_count() or 1))))

    def _now(self) -> tuple[float, float, float]:
        """The time, and the processor seconds of everybody and of ours, since whenever they are counted."""
        times = psutil.cpu_times()._asdict()
        # Guests are in the time of their users already.
        busy = sum(seconds for kind, seconds in times.items() if kind not in ("idle", "iowait", "guest", "guest_nice"))
        return time.perf_counter(), busy, self._own()

    def _own(self) -> float:
        own = os.times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in self._process.children(recursive=True):
            try:
                used = child.cpu_times()
            except psutil.Error:  # has ended just now
                continue
            total += used.user + used.system
            total += getattr(used, "children_user", 0.0) + getattr(used, "children_system", 0.0)
        return total
