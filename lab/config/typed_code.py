"""Which files of the user's own a command line names: ``model.norm=my_idea.py:Norm``, ``parts=my_idea.py``.

Only what was typed counts. What a checkpoint brings along, or what came over the network, names no file here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString
from hydra.errors import HydraException

from lab.config import quoting
from lab.files import user_code
from lab.files.paths import typed_path


@contextmanager
def allowed(words: Sequence[str], parts: Iterable[str] | None, start_folder: Path) -> Iterator[None]:
    """Runs the files that the user has named; until the end of the block, ``user_code.load`` finds what they define.

    Args:
        words: the command line as it was typed, without what a checkpoint adds to it.
        parts: the option of that name.
        start_folder: where it was typed: the paths are relative to it.

    Raises:
        LabError: if one is missing or fails, or two have the same name.
    """
    named = [user_code.split(reference)[0] for reference in references(words)]
    with user_code.allowed(typed_path(file, start_folder) for file in dict.fromkeys([*named, *(parts or ())])):
        yield


def references(words: Sequence[str]) -> list[str]:
    """The values ``FILE.py:NAME`` of those options among ``words`` that may have such a one, each value of a sweep."""
    found = []
    for word in words:
        option = word.partition("=")[0].lstrip("+")
        if quoting.CODE_OPTIONS.fullmatch(option) and re.search(r"\.py:", word):
            found += [value for value in _values(word) if user_code.is_reference(value)]
    return found


def _values(word: str) -> list[str]:
    try:
        (override,) = OverridesParser.create().parse_overrides(quoting.quote_literals([word]))
    except HydraException:
        return []  # said by Hydra, by name
    value = override.value()
    listed = value.list if isinstance(value, ChoiceSweep) else [value]
    return [item.text.replace("\\${", "${") if isinstance(item, QuotedString) else str(item) for item in listed]
