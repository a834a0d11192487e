"""What a run is called on the command line: its name, its tags, what was thought of it."""

from collections.abc import Sequence

from lab.errors import LabError, is_text, shown
from lab.files.labels import MOST_NAME, MOST_NOTES, MOST_TAG, MOST_TAGS, label


def check_naming(name: str, tags: Sequence[str], notes: str) -> None:
    """Makes sure that lists can hold it.

    Raises:
        LabError: naming the option that is too long, or no text.
    """
    _check("name", name, MOST_NAME)
    _check("notes", notes, MOST_NOTES, lines=True)
    if len(tags) > MOST_TAGS:
        raise LabError(f"tags= are {len(tags)}: give at most {MOST_TAGS}")
    for tag in tags:
        _check("tags", tag, MOST_TAG)
        if not tag.strip():
            raise LabError("tags= has an empty one: leave it out")


def _check(option: str, text: str, longest: int, lines: bool = False) -> None:
    if not is_text(text):
        raise LabError(f"{option}= has bytes that are not UTF-8: type it as UTF-8")
    if len(text) > longest:
        raise LabError(f"{option}={shown(text, 40)} has {len(text):,} characters: at most {longest:,} are kept")
    if label(text, longest, lines) != text.strip():
        raise LabError(f"{option}={shown(text, 40)} has characters that cannot be seen: leave them out")
