"""The levels that a run writes before its first step are those that its text has, and that its results tell."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from support.commands import tiny

from lab.runs.yardsticks import read_yardsticks


def test_they_are_those_of_the_text_and_the_results_tell_the_same(tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_text("The fox saw the crow, and the crow saw the fox.\n" * 200)
    words = ("corpus=text", "corpus.path=tale.txt", "tokenizer=bytes", "data.max_val_tokens=null")
    done = tiny(tmp_path, *words, "trainer.max_steps=1")
    found = read_yardsticks(done.run, {})
    assert found.unigram_val_loss == done.results["unigram_val_loss"]
    assert found.unigram_train_loss == done.results["unigram_train_loss"]
    text = (tmp_path / "tale.txt").read_bytes()
    n_train = found.training_tokens
    assert n_train is not None
    assert 0.85 * len(text) < n_train < 0.95 * len(text)
    # By hand, of the bytes: the fewest nats of the three ways to smooth.
    counts, size = Counter(text[:n_train]), round(math.exp(found.guessing_loss or 0))
    assert found.guessing_loss == pytest.approx(math.log(done.results["model"]["vocab_size"]))
    targets = text[n_train + 1 :]
    by_hand = min(
        -sum(math.log((counts[byte] + alpha) / (n_train + alpha * size)) for byte in targets) / len(targets)
        for alpha in (1, 0.1, 0.01)
    )
    assert found.unigram_val_loss == pytest.approx(by_hand, rel=1e-3)
    assert json.loads((done.run / "yardsticks.json").read_text())["floor_loss"] is None


def test_a_mixture_has_no_such_yardstick(tmp_path: Path) -> None:
    words = ("corpus=mix", "corpus.parts=[fables,{corpus:grammar,documents:300}]", "corpus.weights=[0.5,0.5]")
    done = tiny(tmp_path, *words, "trainer.max_steps=1")
    found = read_yardsticks(done.run, {})
    assert found.unigram_val_loss is None
    assert found.guessing_loss is not None
    assert found.training_tokens is not None
