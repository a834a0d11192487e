"""Flags of the commands that have some: ``argparse``, whose mistakes are told in one sentence, as everywhere here."""

import argparse
from collections.abc import Callable
from typing import NoReturn

from lab.config.limits import Limit
from lab.errors import LabError, shown


class Parser(argparse.ArgumentParser):
    """Raises a ``LabError`` where argparse would print its usage and exit with 2."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        raise LabError(f"{shown(message, 200)}; {self.prog} --help explains what there is")


def number(kind: type[int] | type[float], limit: Limit) -> Callable[[str], float]:
    """For ``type=``: a whole number or any, within ``limit``."""
    what = "a whole number" if kind is int else "a number"

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        if not limit.holds(value):
            raise argparse.ArgumentTypeError(f"{shown(text)} does not fit: it must be {what}, {limit}")
        return value

    return read
