"""What somebody may have meant, and how to type it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.config import compose
from lab.config.explain import explain, nearest
from lab.config.groups import option_names
from lab.errors import LabError


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("optimizer.lrr", ["optimizer.lr", "lr_scale"], "optimizer.lr"),
        ("OPTIMIZER.LR", ["optimizer.lr"], "optimizer.lr"),
        ("lr", ["optimizer.lr", "model.lx"], "optimizer.lr"),  # the right option without its group
        ("model.lr", ["optimizer.lr", "model.emb_dim"], "optimizer.lr"),  # and under the wrong one
        ("steps", ["trainer.max_steps", "schedule.warmup_steps"], "trainer.max_steps"),  # the shorter one
        ("cosin", ["constant", "cosine", "wsd"], "cosine"),
        ("zebra", ["optimizer.lr"], None),
        ("", ["optimizer.lr"], None),
    ],
)
def test_nearest(word: str, known: Sequence[str], meant: str | None) -> None:
    assert nearest(word, known) == meant


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(option_names()), st.data())
def test_a_letter_too_few_is_seen_through(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    found = nearest(name[:place] + name[place + 1 :], option_names())
    assert found is not None
    assert nearest(name, option_names()) == name


@pytest.mark.parametrize("value", ["it's (1)", "{x", 'say "so"', "[1,", "back\\slash ("])
def test_a_text_that_cannot_be_read_can_be_as_it_is_then_advised(value: str) -> None:
    import shlex

    typed = f"logger.tensorboard.name={value}"
    with pytest.raises(LabError, match="cannot be read") as told:
        compose.compose_config([typed])
    advice = str(told.value).rpartition(", as ")[2]
    (word,) = shlex.split(advice)
    assert compose.compose_config([word]).logger.tensorboard.name == value


def test_what_nobody_foresaw_is_its_first_line() -> None:
    assert explain(RuntimeError("something  odd\nand a page of it"), []) == "something odd"
