"""JSON as its standard has it, written and read.

The standard knows no NaN and no infinity: they go by their names, as texts. And what somebody else wrote is read, or it
is a ValueError, however strange it is.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NAMES = ("NaN", "Infinity", "-Infinity")


def dumps(value: Any, indent: int | None = None, ascii_only: bool = False) -> str:
    """``value`` as JSON that every reader understands."""
    return json.dumps(named(value), indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def loads(text: str | bytes) -> Any:
    """As ``json.loads``; what the parser cannot bear, though it may be JSON, is refused in the same way.

    Raises:
        ValueError: if it is no JSON, is nested too deep, or has a whole number of thousands of digits.
    """
    with _refusing():
        return json.loads(text)


def first(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at ``start``, and where it ends; what follows is not looked at.

    Raises:
        ValueError: as ``loads``; also where it does not end in ``text``.
    """
    with _refusing():
        return _DECODER.raw_decode(text, start)


_DECODER = json.JSONDecoder()


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:  # Python's own, which speaks of sys.set_int_max_str_digits
        raise ValueError("it has a number with too many digits") from None


def named(value: Any) -> Any:
    """``value`` with "NaN", "Infinity" and "-Infinity" in place of such numbers, however deep in dicts and lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: named(item) for key, item in value.items()}
    return [named(item) for item in value] if isinstance(value, list | tuple) else value


def number(value: Any) -> Any:
    """The number that a name stands for; anything else as it is."""
    return float(value) if value in _NAMES else value
