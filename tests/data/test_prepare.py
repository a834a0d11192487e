"""From a corpus to tokens, cut into what trains and what validates."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.batches import numbered
from support.commands import TINY, train_here

from lab.config.corpus_schema import CorpusConfig, CorpusSource
from lab.config.schema import DataConfig
from lab.data import token_file
from lab.data.prepare import find_corpus, split, tokenized_corpus
from lab.errors import LabError
from lab.tokenizer import Tokenizer


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


few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(
    st.integers(0, 5000),
    st.floats(0.01, 0.99),
    st.none() | st.integers(2, 500),
    st.none() | st.integers(2, 500),
    st.integers(1, 64),
)
def test_split(n: int, val_fraction: float, max_val: int | None, max_train: int | None, context_length: int) -> None:
    config = DataConfig(val_fraction=val_fraction, max_val_tokens=max_val, max_train_tokens=max_train)
    try:
        train, val = split(numbered(n), config, context_length)
    except LabError:
        assume(False)
    assert len(train) >= context_length + 1
    assert len(val) >= 2
    assert np.array_equal(val, numbered(n)[n - len(val) :])  # the end of the corpus
    assert train[-1] + 1 == val[0]  # and what comes right before it
    assert np.array_equal(train, np.arange(train[0], val[0]))
    assert max_val is None or len(val) <= max_val
    assert max_train is None or len(train) <= max_train
    assert train[0] == 0 or len(train) == max_train  # nothing is left out without being told


@pytest.mark.parametrize(("n", "enough"), [(18, False), (19, True)])
def test_one_window_of_each_kind_is_enough(n: int, enough: bool) -> None:
    config = DataConfig(val_fraction=0.111)  # 1 of 18 tokens, 2 of 19
    if enough:
        train, val = split(numbered(n), config, 16)
        assert (len(train), len(val)) == (17, 2)
    else:
        with pytest.raises(LabError):
            split(numbered(n), config, 16)


def test_too_little_to_train_on_is_an_error_with_the_numbers() -> None:
    with pytest.raises(LabError) as caught:
        split(numbered(1200), DataConfig(val_fraction=0.5), 1024)
    for number in ("1,200", "600", "1,025", "model.context_length=1024"):
        assert number in str(caught.value)


def test_too_little_to_validate_on_is_an_error_with_the_numbers() -> None:
    with pytest.raises(LabError) as caught:
        split(numbered(1500), DataConfig(val_fraction=0.001), 16)
    for number in ("1,500", "leaves 1 ", "data.val_fraction=0.001"):
        assert number in str(caught.value)


@few
@given(st.integers(4, 3000), st.integers(1, 2000))
def test_the_context_length_that_the_message_proposes_fits(n: int, context_length: int) -> None:
    n_train = n - n // 2
    assume(n_train <= context_length)
    with pytest.raises(LabError) as caught:
        split(numbered(n), DataConfig(val_fraction=0.5), context_length)
    found = re.search(r"or model\.context_length=(\d+)(?: data\.batch_size=\d+)?$", str(caught.value))
    assert found is not None, str(caught.value)
    proposed = int(found[1])
    split(numbered(n), DataConfig(val_fraction=0.5), proposed)
    assert n_train / 4 <= proposed < n_train  # and does not give away more than it must


def test_no_context_length_is_proposed_where_none_would_fit() -> None:
    with pytest.raises(LabError) as caught:
        split(numbered(3), DataConfig(val_fraction=0.7), 16)
    assert not str(caught.value).endswith("or model.context_length=1")


@few
@given(st.integers(0, 200), st.floats(0.01, 0.99), st.none() | st.integers(2, 50), st.integers(1, 300))
def test_what_is_advised_for_a_text_that_is_too_small_is_enough(
    n: int, val_fraction: float, max_train: int | None, context_length: int
) -> None:
    config = DataConfig(val_fraction=val_fraction, max_train_tokens=max_train)
    try:
        split(numbered(n), config, context_length)
    except LabError as error:
        advice = dict(word.split("=") for word in str(error).partition("a longer text, or ")[2].split())
        assert bool(advice) == (n >= 4)  # two tokens to learn from, two to validate with
        if advice:
            context_length = int(advice.pop("model.context_length", context_length))
            changes = {key.removeprefix("data."): ast.literal_eval(value) for key, value in advice.items()}
            split(numbered(n), replace(config, **changes), context_length)


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "b.txt").write_text("B")
    (tmp_path / "a.txt").write_text("A")
    return tmp_path


def test_a_corpus_by_its_path(corpora: Path) -> None:
    config = CorpusConfig("mine", CorpusSource.path, "*.txt")
    assert find_corpus(config, corpora) == [corpora / "a.txt", corpora / "b.txt"]
    tokenizer = Tokenizer()
    found = tokenized_corpus(config, corpora)
    assert found.open().tolist() == [*tokenizer.encode("A"), tokenizer.endoftext, *tokenizer.encode("B")]
    assert found.path.parent == token_file.cache_folder() == corpora / "cache"


def test_the_bundled_corpus_does_not_depend_on_where_one_is(corpora: Path) -> None:
    config = CorpusConfig("fables", CorpusSource.bundled, "fables")
    assert len(find_corpus(config, corpora)) == 84


def test_the_standard_library_as_a_corpus(corpora: Path) -> None:
    assert any(file.name == "argparse.py" for file in find_corpus(CorpusConfig("s", CorpusSource.stdlib), corpora))
