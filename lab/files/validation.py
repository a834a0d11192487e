"""Declaring what plain values from a file must be: types, ranges, parts. Whatever is read is somebody's word.

A ``Kind`` is a function that takes a value and where it stands, and gives the value back, or complains. Kinds are put
together like the data they describe:

    RECORD = parts({"step": whole(), "losses": rows(number(0))})
    RECORD(found, "state")    # Unfit: state.losses[3] is text, and must be a number, at least 0

Nothing is converted: ``True`` is no 1, and 2.0 is no 2.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

Kind = Callable[[Any, str], Any]
"""A value and where it stands, to the value, as far as it is known.

Raises:
    Unfit: if it is something else.
"""

LARGEST = 2**53
"""Of whole numbers: up to here, every program that reads JSON knows them exactly."""


class Unfit(ValueError):
    """A value that is not what it must be. The message says where, what it is and what it must be."""


class Lacking(Unfit):
    """A part that is not there."""


def whole(low: int = 0, high: int = LARGEST) -> Kind:
    """A whole number from ``low`` to ``high``."""

    def check(value: Any, where: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Unfit(f"{where} is {said(value)}, and must be a whole number{_between(low, high)}")
        return value

    return check


def number(low: float = -math.inf, high: float = math.inf, *, infinite: bool = False) -> Kind:
    """A number from ``low`` to ``high``, finite unless ``infinite``; never NaN."""

    def check(value: Any, where: str) -> float:
        # A whole number beyond the largest float has no place on any scale, and comparing it is all that works.
        fits = type(value) in (int, float) and low <= value <= high and (infinite or -_MOST <= value <= _MOST)
        if not fits:
            raise Unfit(f"{where} is {said(value)}, and must be a number{_between(low, high)}")
        found: float = value  # 2 stays 2: nothing is converted
        return found

    return check


def text(longest: int = 100_000) -> Kind:
    """A text of ``longest`` characters at most."""

    def check(value: Any, where: str) -> str:
        if type(value) is not str or len(value) > longest:
            raise Unfit(f"{where} is {said(value)}, and must be text of {longest:,} characters at most")
        return value

    return check


def switch(value: Any, where: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise Unfit(f"{where} is {said(value)}, and must be true or false")
    return value


def nothing_or(kind: Kind) -> Kind:
    """None, or what ``kind`` says."""
    return lambda value, where: None if value is None else kind(value, where)


def rows(kind: Kind, length: int | None = None) -> Kind:
    """A list of values of one kind; ``length`` of them, if given."""

    def check(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            many = "" if length is None else f" of {length:,}"
            raise Unfit(f"{where} is {said(value)}, and must be a list{many}")
        return [kind(item, f"{where}[{place}]") for place, item in enumerate(value)]

    return check


def table(kind: Kind) -> Kind:
    """Values of one kind, each with a name."""

    def check(value: Any, where: str) -> dict[str, Any]:
        return {key: kind(item, inside(where, key)) for key, item in _named(value, where).items()}

    return check


def parts(needed: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None, others: Kind | None = None) -> Kind:
    """A dict with the parts ``needed`` and perhaps ``optional`` ones. What it has besides is left out of the result,
    or must be ``others``."""

    def check(value: Any, where: str) -> dict[str, Any]:
        found = _named(value, where)
        if absent := [name for name in needed if found.get(name) is None]:
            raise Lacking(f"no {inside(where, absent[0])}")
        known = {**needed, **(optional or {})}
        kinds = {name: known.get(name, others) for name in found}
        return {name: kind(found[name], inside(where, name)) for name, kind in kinds.items() if kind is not None}

    return check


def plain(value: Any, where: str, deepest: int = 12, leaf: Kind | None = None) -> Any:
    """Text, numbers, true, false, None, and lists and dicts of these, ``deepest`` levels of them; or else ``leaf``."""
    if value is None or type(value) in (bool, float, str) or (type(value) is int and value.bit_length() <= _BITS):
        return value
    if deepest and type(value) in (list, tuple):
        return type(value)(plain(item, f"{where}[{place}]", deepest - 1, leaf) for place, item in enumerate(value))
    if deepest and isinstance(value, dict):
        return {key: plain(item, inside(where, key), deepest - 1, leaf) for key, item in _named(value, where).items()}
    if leaf is not None:
        return leaf(value, where)
    raise Unfit(f"{where} is {said(value)}, and must be plain values")


def inside(where: str, key: Any) -> str:
    """The place of a part: ``where.key``, whatever somebody calls it."""
    spelt = str(key)  # nearly always a single name: this is asked of every part of every line of a log
    dotted = spelt.isidentifier() or all(part.isidentifier() for part in spelt.split("."))
    name = key if dotted and len(key) < 80 else said(key)
    return f"{where}.{name}" if where else name


def bounded(value: Any, most: int = 1_000_000) -> None:
    """Makes sure that a walk through nested values comes to an end: a file may let a list contain itself, or a small
    one a thousand times, in each of which there is ...

    Raises:
        Unfit: if there are more than ``most`` values, each counted wherever it is met.
    """
    ahead, met = [iter((value,))], 0
    while ahead:
        for item in ahead[-1]:
            met += 1
            if met > most or len(ahead) > _LEVELS:
                raise Unfit(f"there are more than {most:,} values in it, or more than {_LEVELS} levels of them")
            if isinstance(item, dict | list | tuple):
                ahead.append(iter(item.values() if isinstance(item, dict) else item))
                break
        else:
            ahead.pop()


def said(value: Any) -> str:
    """A value in a few words, whatever it is: nothing that somebody's file says fills a screen or a line with signs."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else "a huge number"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return ascii(value) if len(value) <= 40 else "a long text"
    return {"dict": "a dict", "list": "a list", "Tensor": "a tensor"}.get(type(value).__name__, "something else")


_LEVELS = 32
_BITS = 1024
"""Of a whole number that is no length of anything: about as many as a float can count up to."""
_MOST = 1.7976931348623157e308


def _named(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(type(key) is str for key in value):
        raise Unfit(f"{where} is {said(value)}, and must be a dict with names")
    return value


def _between(low: float, high: float) -> str:
    least = "" if low == -math.inf else f", at least {low:,}"
    most = "" if high in (math.inf, LARGEST) else f"{' and' if least else ','} at most {high:,}"
    return least + most
