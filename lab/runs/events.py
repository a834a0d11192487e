"""The run's own log: ``events.jsonl`` in its folder, one JSON object a line, only ever appended to.

    {"seq": 17, "time": 1790000000.1, "kind": "metrics", "step": 40, "train_loss": 5.1, ...}

``seq`` counts up, also across resumes, and no number ever stands for two things: whoever has read up to 17 asks for
what comes after 17. A run that goes on from a checkpoint drops what was logged after it; a ``continued`` event, with a
number above all that were used, says so: points after its step that have a lower number are void. Whatever
reads curves, samples or states of a run (a dashboard, a script, a resumed run) reads them here.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lab.files import atomic, safe_files, strict_json
from lab.files.validation import LARGEST, number, parts, plain, text, whole

FILE = "events.jsonl"

OWN = ("seq", "time", "kind", "step")
"""What every event has; whatever else stands in it is what it tells."""

_EVENT = parts({"seq": whole(), "kind": text(100), "step": whole()}, {"time": number()}, others=plain)
_SAMPLE = parts({"text": text()}, others=plain)

Event = dict[str, Any]


class EventLog:
    """Appends to the log of a run folder; goes on where the file ends."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.seq = max((event["seq"] for event in read(folder)), default=-1)
        # One write call a line, straight to the file: a line is there as a whole, also for a reader at that moment,
        # and a kill of this process cannot take back what was written.
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def append(self, kind: str, step: int, **fields: Any) -> None:
        """Adds an event. Numbers that JSON has no word for are written as "NaN", "Infinity" and "-Infinity"."""
        self.seq += 1
        event = {"seq": self.seq, "time": round(time.time(), 3), "kind": kind, "step": step, **fields}
        os.write(self._descriptor, atomic.utf8(strict_json.dumps(event)) + b"\n")

    def close(self) -> None:
        os.close(self._descriptor)


def read(folder: Path) -> Iterator[Event]:
    """The events of a run folder in their order; a line that is none, or not whole (yet), is left out."""
    try:
        with safe_files.opened(folder / FILE) as file:
            for line in file:
                event = parse(line) if line.endswith(b"\n") else None
                if event is not None:
                    # A text may well say "NaN".
                    yield {key: value if key == "text" else strict_json.number(value) for key, value in event.items()}
    except OSError:
        return


def parse(line: bytes) -> Event | None:
    """The event in a line of the file; None if it is none: torn by a power cut, and written on after it, say."""
    try:
        found: Event = _EVENT(strict_json.loads(line), "")
        found = _SAMPLE(found, "") if found["kind"] == "sample" else found
        return found if line.isascii() and b"\\u" not in line else safe_files.plain(found)  # without half characters
    except ValueError:
        return None


def figures(event: Event) -> dict[str, float]:
    """The points of curves in an event of the kind ``metrics``."""
    values = {key: strict_json.number(value) for key, value in event.items() if key not in OWN}
    return {
        key: float(value)
        for key, value in values.items()
        if type(value) is float or (type(value) is int and abs(value) <= LARGEST)
    }


def rewrite(folder: Path, events: Iterable[Event]) -> None:
    """Replaces the log of a run folder, atomically; for the moment before a run goes on, when nobody writes to it."""
    with atomic.writing(folder / FILE) as file:
        for event in events:
            file.write(atomic.utf8(strict_json.dumps(event)) + b"\n")


def begin_again(folder: Path, told: Iterable[Event], kept: Iterable[Event], step: int) -> None:
    """Replaces the log of a run folder by those of the events ``told`` that are ``kept``, for a run that goes on from
    ``step``, and says so in a ``continued`` event with a number of its own."""
    last = max((event["seq"] for event in told), default=-1)
    continued = {"seq": last + 1, "time": round(time.time(), 3), "kind": "continued", "step": step}
    rewrite(folder, [*kept, continued])
