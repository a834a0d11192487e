"""What a run is called: ``notes.json`` in its folder, written by its command and by whoever renames it later."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab.files import atomic
from lab.files.labels import MOST_NAME, MOST_NOTES, MOST_TAG, MOST_TAGS, label
from lab.files.run_files import CONFIG_FILE, NOTES_FILE
from lab.files.safe_files import read_json, read_object

if TYPE_CHECKING:
    from lab.config.schema import Config


@dataclass(frozen=True)
class Notes:
    """The name, the tags and the note of a run; empty where nobody has given any."""

    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""


def read_notes(folder: Path) -> Notes:
    """What somebody wrote about the run in ``folder``, as far as it is what can be written here: the file may come from
    anywhere."""
    return _notes(read_json(folder / NOTES_FILE), "note")


def change_notes(folder: Path, **changes: Any) -> Notes:
    """Changes some fields of them (``name``, ``tags``, ``note``), and leaves the others as they are."""
    with _alone_in(folder):
        notes = replace(read_notes(folder), **changes)
        atomic.write_json(folder / NOTES_FILE, asdict(notes))
    return notes


def keep_typed(folder: Path, config: "Config") -> None:
    """Writes down what ``config`` calls the run; to be asked before its options are written there.

    What was renamed since is not named back: not while the run waited to begin, and not by the same command when it
    goes on with the run. Another name, typed for a run that goes on, is a new one.
    """
    typed = Notes(config.name, tuple(config.tags or ()), config.notes)
    earlier = _notes(read_object(folder / CONFIG_FILE, yaml.safe_load), "notes")
    goes_on = (folder / CONFIG_FILE).exists()
    with _alone_in(folder):
        known = read_notes(folder)
        wanted = {
            field: value
            for field, value in vars(typed).items()
            if value and (value != getattr(earlier, field) if goes_on else not getattr(known, field))
        }
        if wanted:
            atomic.write_json(folder / NOTES_FILE, asdict(replace(known, **wanted)))


def _notes(told: dict[str, Any], note: str) -> Notes:
    tags = told.get("tags")
    shown = [label(tag, MOST_TAG) for tag in tags[:MOST_TAGS] if isinstance(tag, str)] if isinstance(tags, list) else []
    return Notes(
        label(text, MOST_NAME) if isinstance(text := told.get("name"), str) else "",
        tuple(tag for tag in dict.fromkeys(shown) if tag),
        label(text, MOST_NOTES, lines=True) if isinstance(text := told.get(note), str) else "",
    )


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Of all who change the notes of a run, one at a time. The lock is on the folder itself, and leaves nothing there;
    where a folder cannot be locked, the last one has the say."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network disks have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
