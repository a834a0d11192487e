"""What comes over the network as JSON, in the narrow sense: text that UTF-8 can hold, and numbers that 64 bits can.

Python reads more than that, and would stumble over it later: half a character cannot be written down again, and
neither a number of 400 digits nor NaN is anything to count with. All requests pass here, and messages of the WebSocket.
"""

import json
import math
from typing import Any

from lab.dashboard.http_errors import ApiError

_DEEPEST = 32
_LARGEST = 2**63


class _Unfit:
    """In place of a number that is none."""


def parse(content: bytes | str) -> Any:
    """The value that ``content`` describes.

    Raises:
        ApiError: if it is not JSON in this sense; with the field at fault where there is one.
    """
    try:
        # As text: of bytes, json would guess the encoding, and let half characters pass.
        text = content if isinstance(content, str) else content.decode("utf-8")
        found = json.loads(text, parse_int=_whole, parse_float=_number, parse_constant=lambda _: _Unfit())
    except UnicodeDecodeError:
        raise ApiError(422, "the request is not UTF-8") from None
    except RecursionError:
        raise ApiError(422, "the request is too deep: values within values within values") from None
    except ValueError as error:
        raise ApiError(422, f"the request is not JSON: {error}") from None
    _check(found, None, 0)
    return found


def _whole(digits: str) -> int | _Unfit:
    # Counted first: to read a very long number takes very long.
    number = int(digits) if len(digits) < 25 else _LARGEST
    return number if -_LARGEST <= number < _LARGEST else _Unfit()


def _number(digits: str) -> float | _Unfit:
    number = float(digits)
    return number if math.isfinite(number) else _Unfit()


def _check(value: Any, field: str | None, depth: int) -> None:
    """Names the innermost key under which something unfit stands: for an option, that is its name."""
    where = field or "the request"
    if depth > _DEEPEST:
        raise ApiError(422, f"{where} is too deep: values within values within values", field)
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, field, depth + 1)
            _check(item, key, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, field, depth + 1)
    elif isinstance(value, _Unfit):
        raise ApiError(422, f"{where} has a number that 64 bits cannot hold, or that is none", field)
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ApiError(422, f"{where} is not a text: half a character stands in it", field) from None
