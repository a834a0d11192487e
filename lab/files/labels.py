"""What people call a run: short texts that stand in lists and sentences, and may come from a file of anybody's."""

import unicodedata

from lab.files.safe_files import readable

MOST_NAME = 120
MOST_TAG = 40
MOST_TAGS = 20
MOST_NOTES = 10_000
"""Characters, and how many tags."""

_JOINERS = "\u200c\u200d"
"""Without these, some scripts and faces are spelt wrong."""


def label(text: str, longest: int = MOST_NAME, lines: bool = False) -> str:
    """``text`` as one may show it anywhere, cut to ``longest`` characters: a control character becomes a space, and
    what turns the direction of the text around it is gone. ``lines``: it may have several."""
    cut = readable(text[: 4 * longest])
    shown = "".join(" " if _breaks(one, lines) else one for one in cut if not _hides(one))
    return shown.strip()[:longest].rstrip()


def _breaks(character: str, lines: bool) -> bool:
    if lines and character in "\n\t":
        return False
    return unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _hides(character: str) -> bool:
    return unicodedata.category(character) == "Cf" and character not in _JOINERS
