"""Reading a run's event log while it grows: each line once, however many people watch.

The trainer only appends. When a run goes on in its folder, its log is replaced by one that ends where the checkpoint
was taken, and goes on with numbers above all that were used before (see ``lab.training.resume``): whoever has seen
number 17 asks for what comes after 17, and never gets two things under one number.
"""

import os
import re
import threading
from array import array
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lab.files import strict_json
from lab.files.run_files import EVENTS_FILE
from lab.files.safe_files import MOST_BYTES, opened
from lab.runs import events

_RECENT = 512
"""Lines kept in memory for those who follow closely."""
_MARK_EVERY = 256
"""Lines between remembered places in the file."""
_BLOCK = 1 << 20


@dataclass
class Curve:
    """One metric: its points in the order in which they were written."""

    steps: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    """Seconds since 1970."""

    def __len__(self) -> int:
        return len(self.steps)


@dataclass
class Line:
    """An event as it stands in the file."""

    seq: int
    text: str


class Tail:
    """The log of one run, read as far as it goes. Not safe for use from several threads at once: see ``Tails``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / EVENTS_FILE
        self._forget()

    def _forget(self) -> None:
        self.curves: dict[str, Curve] = {}
        self.others: deque[events.Event] = deque(maxlen=4096)
        """Samples, states, checkpoints, alerts: all but metrics."""
        self.recent: deque[Line] = deque(maxlen=_RECENT)
        self.seq = -1
        """The last number read."""
        self.step = 0
        self._offset = 0
        self._identity: tuple[int, int] | None = None
        self._marks: list[tuple[int, int]] = []  # (number of the first line behind it, place in the file)
        self._lines = 0

    def update(self) -> bool:
        """Reads what is new; returns whether anything was. A last line that is not whole yet is left for later."""
        try:
            with opened(self.path) as file:
                status = os.fstat(file.fileno())
                identity = (status.st_dev, status.st_ino)
                if identity != self._identity or status.st_size < self._offset:
                    self._forget()  # another file has taken its place
                    self._identity = identity
                if status.st_size == self._offset:
                    return False
                file.seek(self._offset)
                before = self.seq, self._lines
                rest = b""
                while block := file.read(_BLOCK):
                    *lines, rest = (rest + block).split(b"\n")
                    for line in lines:
                        self._take(line)
                        self._offset += len(line) + 1
                    if len(rest) > MOST_BYTES:  # nothing of ours: the end of it is no event either
                        self._offset += len(rest)
                        rest = b""
                return (self.seq, self._lines) != before
        except OSError:
            changed = self.seq >= 0
            self._forget()
            return changed

    def _take(self, line: bytes) -> None:
        event = events.parse(line)
        if event is None:
            return
        seq = event["seq"]
        if self._lines % _MARK_EVERY == 0:
            self._marks.append((seq, self._offset))
        self._lines += 1
        self.seq = seq
        self.recent.append(Line(seq, _told(line, event)))
        self.step = event["step"]
        if event["kind"] != "metrics":
            self.others.append(event)
            return
        for name, value in events.figures(event).items():
            curve = self.curves.setdefault(name, Curve())
            curve.steps.append(self.step)
            curve.values.append(value)
            curve.times.append(float(event.get("time", 0.0)))

    def after(self, seq: int, most: int) -> list[Line]:
        """The lines with numbers above ``seq``, the oldest first, ``most`` of them at most."""
        if self.seq <= seq:
            return []
        if self.recent and self.recent[0].seq <= seq + 1:
            return [line for line in self.recent if line.seq > seq][:most]
        place = 0
        for first, offset in self._marks:
            if first > seq:
                break
            place = offset
        found: list[Line] = []
        try:
            with opened(self.path) as file:
                if (os.fstat(file.fileno()).st_dev, os.fstat(file.fileno()).st_ino) != self._identity:
                    return []  # just replaced: the next update will see it
                file.seek(place)
                while raw := file.readline(MOST_BYTES):
                    event = events.parse(raw) if raw.endswith(b"\n") else None
                    if event is not None and seq < event["seq"] <= self.seq:
                        found.append(Line(event["seq"], _told(raw.rstrip(b"\n"), event)))
                        if len(found) >= most:
                            break
        except OSError:
            return []
        return found

    def latest(self, name: str) -> float | None:
        """The last value of a metric."""
        curve = self.curves.get(name)
        return curve.values[-1] if curve else None

    def points(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Steps, values and times of a metric, each ``(n,)``."""
        curve = self.curves.get(name) or Curve()
        # Copies: an array that numpy looks into cannot grow any more.
        return np.array(curve.steps, dtype=np.int64), np.array(curve.values), np.array(curve.times)


class Tails:
    """The logs of the runs that somebody asked for lately; the others are read again when they are asked for."""

    def __init__(self, most: int = 256) -> None:
        self.most = most
        self._tails: OrderedDict[Path, Tail] = OrderedDict()
        self.lock = threading.RLock()

    def get(self, folder: Path) -> Tail:
        """The log of a run folder, up to date. Hold ``lock`` while reading from it."""
        with self.lock:
            tail = self._tails.setdefault(folder, Tail(folder))
            self._tails.move_to_end(folder)
            while len(self._tails) > self.most:
                self._tails.popitem(last=False)
            tail.update()
            return tail


_ODD = re.compile(rb"NaN|Infinity|\\u[dD]|\d{19}|[\x80-\xff]")
"""Lines in which something may stand that JSON or UTF-8 has no word for."""


def _told(line: bytes, event: events.Event) -> str:
    """An event as it is told to others: as it stands in the log, if everybody can read that."""
    return strict_json.dumps(event) if _ODD.search(line) else line.decode("ascii")
