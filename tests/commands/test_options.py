"""Words of the kind option=value, into a dataclass."""

from hypothesis import given
from hypothesis import strategies as st

from lab.commands.generation import LIMITS, Options
from lab.commands.options import parse


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_arrives_as_typed(text: str) -> None:
    options = parse([f"prompt={text}", f"stop={text}", f"stop=x{text}", f"checkpoint=x{text}"], Options, LIMITS)
    assert (options.prompt, options.stop, options.checkpoint) == (text, [text, f"x{text}"], f"x{text}")
