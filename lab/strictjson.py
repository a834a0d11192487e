"""JSON as its standard has it, which knows no NaN and no infinity: they go by their names, as texts."""

import json
import math
from typing import Any

_NAMES = ("NaN", "Infinity", "-Infinity")


def dumps(value: Any, indent: int | None = None, ascii_only: bool = False) -> str:
    """``value`` as JSON that every reader understands."""
    return json.dumps(named(value), indent=indent, ensure_ascii=ascii_only, allow_nan=False)


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
