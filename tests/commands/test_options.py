"""Words of the kind option=value, into a dataclass."""

import dataclasses
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.commands.generation import LIMITS, Options
from lab.commands.options import help_text, parse, place
from lab.config.limits import Limit
from lab.errors import LabError


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_arrives_as_typed(text: str) -> None:
    options = parse([f"prompt={text}", f"stop={text}", f"stop=x{text}", f"checkpoint=x{text}"], Options, LIMITS)
    assert (options.prompt, options.stop, options.checkpoint) == (text, [text, f"x{text}"], f"x{text}")


@dataclasses.dataclass
class Small:
    """A schema with one field of each kind."""

    needed: str
    path: str = place("here", typed="corpus.path")
    count: int | None = 3
    share: float = 0.5
    flag: bool = False
    kind: Literal["a", "b"] = "a"
    stop: list[str] = dataclasses.field(default_factory=list)
    name: str | None = None


def test_each_kind_of_value() -> None:
    typed = ["needed=", "corpus.path=~/x", "count=null", "share=1e-3", "flag=true", "kind=b", "stop=a=b", "stop="]
    found = parse([*typed, "name=null", "flag=false"], Small)
    assert found == Small("", "~/x", None, 0.001, False, "b", ["a=b", ""], "null")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("corpus.path=", r"corpus\.path= is empty"),
        ("path=x", "there is no option path"),  # it goes by the name that is typed
        ("count=1.5", "count=1.5 does not fit: it must be a whole number"),
        ("share=null", "it must be a number"),
        ("share=2", "share=2 is out of range"),
        ("flag=yes", "it must be true or false"),
        ("kind=c", "choose one of a, b"),
        ("flag", "'flag' has no value: write flag=VALUE"),
        ("--flag=1", "write flag=1"),
        ("cuont=1", r"did you mean count=\?"),
        ("zzzz=1", r"the options are needed, corpus\.path"),
    ],
)
def test_what_does_not_fit_is_one_sentence(word: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        parse(["needed=x", word], Small, {"share": Limit(0, 1)})


def test_what_has_no_default_must_be_given() -> None:
    with pytest.raises(LabError, match="needed= is missing"):
        parse(["count=1"], Small)
    assert help_text("Head.", Small).splitlines()[1] == "  needed (must be given)"
