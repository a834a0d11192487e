"""Paths and texts, past Hydra's grammar."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.config import compose


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_literal_options_arrive_as_typed(value: str) -> None:
    if value == "null":
        return
    composed = compose.compose_config([f"corpus.path={value}", "corpus=text"])
    assert composed.corpus.path == value
