"""From a corpus to tokens, cut into what trains and what validates."""

from pathlib import Path

import pytest
from support.commands import TINY, train_here


@pytest.mark.parametrize("n_tokens", [4, 5, 9, 30])
def test_the_advice_for_a_text_that_is_too_small_works(tmp_path: Path, n_tokens: int) -> None:
    (tmp_path / "mine.txt").write_text("fox " * (n_tokens - 1) + "fox")
    typed = [*TINY, "model.context_length=64", "trainer.max_steps=2", "corpus=text", "corpus.path=mine.txt"]
    done = train_here(tmp_path, *typed)
    assert done.code == 1
    advice = done.err.strip().partition("a longer text, or ")[2].split()
    assert advice, done.err
    done = train_here(tmp_path, *typed, *advice)
    assert (done.code, done.err) == (0, "")
