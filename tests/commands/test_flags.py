"""Flags of the commands that have some."""

import argparse

import pytest

from lab.commands.flags import Parser, number
from lab.config.limits import Limit
from lab.errors import LabError


def test_a_mistake_is_one_sentence_that_names_the_help() -> None:
    parser = Parser(prog="python -m lab.x")
    parser.add_argument("--pairs", type=number(int, Limit(1, 9)), default=3)
    assert parser.parse_args([]).pairs == 3
    assert parser.parse_args(["--pairs", "9"]).pairs == 9
    said = r"^--pairs: .*a whole number, at least 1 and at most 9; python -m lab\.x --help"
    for typed in ("0", "10", "1.5", "nan", "many", ""):
        with pytest.raises(LabError, match=said):
            parser.parse_args(["--pairs", typed])
    with pytest.raises(LabError, match=r"^unrecognized arguments: --prot"):
        parser.parse_args(["--prot", "1"])


def test_a_number_is_of_its_kind() -> None:
    assert number(float, Limit(0, 1))("0.5") == 0.5
    assert type(number(int, Limit(0, 5))("5")) is int
    for typed in ("-0.1", "1.01", "nan", "inf", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="it must be a number, "):
            number(float, Limit(0, 1))(typed)
