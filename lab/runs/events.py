"""The run's own log: ``events.jsonl`` in its folder, one JSON object a line, only ever appended to.

    {"seq": 17, "time": 1790000000.1, "kind": "metrics", "step": 40, "train_loss": 5.1, ...}

``seq`` counts up, also across resumes, and no number ever stands for two things: whoever has read up to 17 asks for
what comes after 17. A run that goes on from a checkpoint drops what was logged after it; a ``continued`` event, with a
number above all that were used, says so: points after its step that have a lower number are void. Whatever
reads curves, samples or states of a run (a dashboard, a script, a resumed run) reads them here.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from lab.files import atomic, safe_files, strict_json
from lab.files.run_files import EVENTS_FILE
from lab.files.validation import LARGEST, Kind, number, parts, plain, text, whole
from lab.runs.state import State
from lab.system import ranks


class _Logged(TypedDict):
    """What every event has; whatever else stands in it is what it tells."""

    seq: int
    """Its number: unique in its log, and higher than those of all before it."""
    time: NotRequired[float]
    """When it was written, in seconds since 1970. The lab always writes it."""
    step: int
    """Finished optimizer steps."""


class Metrics(_Logged):
    """Points of curves, under names of their own beside these: ``figures`` gives them."""

    kind: Literal["metrics"]


class Sample(_Logged):
    """What the model wrote at an evaluation."""

    kind: Literal["sample"]
    text: str


class StateChange(_Logged):
    """The run does something else from here on."""

    kind: Literal["state"]
    state: State
    reason: NotRequired[str]
    """For a person to read, where there is more to say."""


class CheckpointChange(_Logged):
    """A checkpoint was written (in place of an older one of that name), or removed because ``keep`` later ones are
    there."""

    kind: Literal["checkpoint", "removed"]
    path: str
    """As seen from the run's folder, with slashes: ``checkpoints/last.ckpt``."""


class Alert(_Logged):
    """Something that somebody who watches would want to be called for."""

    kind: Literal["alert"]
    what: str
    """A kind of ``lab.alerts.alert``."""
    message: str
    """What is seen, for a person to read."""
    since: NotRequired[int]
    """Finished optimizer steps where it began; ``step`` is where it was told."""
    advice: NotRequired[str]
    """What to try, for a person to read."""


class Continued(_Logged):
    """The run goes on from ``step``: points after it with a lower ``seq`` are void."""

    kind: Literal["continued"]


Event = Metrics | Sample | StateChange | CheckpointChange | Alert | Continued
"""A line of the log. One of a kind that is not known here, of a later version say, is passed on as it stands: nobody
asks it for more than what every event has."""

OWN = frozenset({*_Logged.__annotations__, "kind"})
"""The names that every event has, and that no curve can have."""

_LOGGED = {"seq": whole(), "kind": text(100), "step": whole()}
_ANY = parts(_LOGGED, {"time": number()}, others=plain)
_TOLD: Mapping[str, Kind] = {
    "sample": parts({"text": text()}, others=plain),
    "state": parts({"state": text(100)}, others=plain),
    "checkpoint": parts({"path": text()}, others=plain),
    "removed": parts({"path": text()}, others=plain),
    "alert": parts({"what": text(100), "message": text()}, {"since": whole(), "advice": text()}, others=plain),
}


class EventLog:
    """Appends to the log of a run folder; goes on where the file ends. Of the processes of a run, the first writes, and
    what the others append goes nowhere.

    Numbers that JSON has no word for are written as "NaN", "Infinity" and "-Infinity".
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / EVENTS_FILE
        self._descriptor: int | None = None
        if not ranks.is_first():
            return
        self.seq = max((event["seq"] for event in read(folder)), default=-1)
        # One write call a line, straight to the file: a line is there as a whole, also for a reader at that moment,
        # and a kill of this process cannot take back what was written.
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def metrics(self, step: int, figures: Mapping[str, Any]) -> None:
        """Adds points of curves at ``step`` finished optimizer steps. A name that every event has gets a ``_``: what a
        user logs as "time" must not pass for the time of the event."""
        self._append("metrics", step, **{f"{name}_" if name in OWN else name: v for name, v in figures.items()})

    def sample(self, step: int, text: str) -> None:
        """Adds what the model wrote."""
        self._append("sample", step, text=text)

    def state(self, step: int, state: State, reason: str | None = None) -> None:
        """Adds a change of state."""
        self._append("state", step, state=state, **({"reason": reason} if reason is not None else {}))

    def checkpoint(self, step: int, path: str) -> None:
        """Adds that a checkpoint was written to ``path``, as seen from the run's folder."""
        self._append("checkpoint", step, path=path)

    def removed(self, step: int, path: str) -> None:
        """Adds that the checkpoint at ``path`` was removed."""
        self._append("removed", step, path=path)

    def alert(self, step: int, what: str, message: str, **told: int | str) -> None:
        """Adds something to be called for; ``told`` is what else an ``Alert`` has."""
        self._append("alert", step, what=what, message=message, **told)

    def _append(self, kind: str, step: int, **told: Any) -> None:
        if self._descriptor is None:
            return
        self.seq += 1
        event = {"seq": self.seq, "time": round(time.time(), 3), "kind": kind, "step": step, **told}
        os.write(self._descriptor, atomic.utf8(strict_json.dumps(event)) + b"\n")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def read(folder: Path) -> Iterator[Event]:
    """The events of a run folder in their order; a line that is none, or not whole (yet), is left out."""
    try:
        with safe_files.opened(folder / EVENTS_FILE) as file:
            while line := file.readline(safe_files.MOST_BYTES):
                event = parse(line) if line.endswith(b"\n") else None
                if event is not None:
                    # A text may well say "NaN".
                    named = {key: v if key == "text" else strict_json.number(v) for key, v in event.items()}
                    yield cast(Event, named)
    except OSError:
        return


def parse(line: bytes) -> Event | None:
    """The event in a line of the file; None if it is none: torn by a power cut, and written on after it, say."""
    try:
        found = _ANY(strict_json.loads(line), "")
        found = _TOLD[found["kind"]](found, "") if found["kind"] in _TOLD else found
        sound = line.isascii() and b"\\u" not in line
        return cast(Event, found if sound else safe_files.plain(found))  # without half characters
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
    with atomic.writing(folder / EVENTS_FILE) as file:
        for event in events:
            file.write(atomic.utf8(strict_json.dumps(event)) + b"\n")


def begin_again(folder: Path, told: Iterable[Event], kept: Iterable[Event], step: int) -> None:
    """Replaces the log of a run folder by those of the events ``told`` that are ``kept``, for a run that goes on from
    ``step``, and says so in a ``continued`` event with a number of its own."""
    last = max((event["seq"] for event in told), default=-1)
    continued: Continued = {"seq": last + 1, "time": round(time.time(), 3), "kind": "continued", "step": step}
    rewrite(folder, [*kept, continued])
