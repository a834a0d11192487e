"""The words that make a run's options out of the defaults."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.config import compose
from lab.config.changed_options import flat, words
from lab.config.schema import check


def test_the_defaults_need_no_words() -> None:
    assert words(check(compose.compose_config([]))) == []


@pytest.mark.parametrize(
    "typed",
    [
        ["optimizer.lr=0.001", "save=true", "trainer.max_steps=7"],
        ["eval_every=null", "data.stride=3", "optimizer.betas=[0.8,0.9]"],
        ["sample.prompt=He said, 'no' $x"],
        ["corpus.document_separator=<|endoftext|>", "schedule.name=wsd"],
    ],
)
def test_what_is_told_makes_the_same_options_again(typed: list[str]) -> None:
    config = check(compose.compose_config(typed))
    told = words(config)
    again = check(compose.compose_config(shlex.split(" ".join(told))))
    assert flat(again) == flat(config)
    assert len(told) <= len(typed)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20))
def test_any_prompt_survives_a_shell(prompt: str) -> None:
    config = check(compose.compose_config([]))
    config.sample.prompt = prompt
    (word,) = words(config) or ["sample.prompt=" + shlex.quote(config.sample.prompt)]
    assert shlex.split(word) == [f"sample.prompt={prompt}"]


def test_flat_names_are_those_that_one_types() -> None:
    found = flat(check(compose.compose_config(["corpus=text", f"corpus.path={Path('x.txt')}"])))
    assert found["model.emb_dim"] == 256
    assert found["corpus.path"] == "x.txt"
    assert found["corpus.source"] == "path"
    assert not any(isinstance(value, dict) and value for value in found.values())
