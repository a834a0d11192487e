"""From a corpus to batches: what trains, what validates, and what is too small for either."""

import ast
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lab.config.schema import CorpusConfig, CorpusSource, DataConfig
from lab.data import get_dataloader, token_file
from lab.data.prepare import find_corpus, split, tokenized_corpus
from lab.errors import LabError
from lab.tokenizer import Tokenizer
from lab.training.datamodule import LabData

few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def numbered(n: int) -> np.ndarray:
    """Tokens that are all different: token i is i."""
    return np.arange(n, dtype=np.uint16)


def values(batches: list[tuple[Tensor, Tensor]]) -> set[int]:
    return {int(token) for inputs, targets in batches for token in torch.cat([inputs.flatten(), targets.flatten()])}


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


def test_training_and_validation_share_no_token() -> None:
    data = LabData(numbered(1000), DataConfig(batch_size=3, stride=5), 16, seed=0)
    trained = values(list(islice(data.train_dataloader(), 200)))  # several epochs
    validated = values(list(data.val_dataloader()))
    assert trained.isdisjoint(validated)
    assert validated == set(range(900, 1000))
    assert trained == set(range(int(max(trained)) + 1))
    assert max(trained) > 890  # but for what fills no window, all the rest


@pytest.mark.parametrize("stride", [None, 5])
def test_validation_scores_each_token_once_whatever_the_batch(stride: int | None) -> None:
    for batch_size in (1, 3, 100):
        data = LabData(numbered(1000), DataConfig(batch_size=batch_size, stride=stride), 16, seed=0)
        targets = torch.cat([targets.flatten() for _, targets in data.val_dataloader()])
        assert targets.tolist() == list(range(901, 1000))


def test_max_train_tokens_takes_the_piece_next_to_the_validation_text() -> None:
    data = LabData(numbered(1000), DataConfig(batch_size=2, max_train_tokens=100), 16, seed=0)
    assert data.train_tokens.tolist() == list(range(800, 900))
    assert data.val_tokens.tolist() == list(range(900, 1000))
    assert values(list(islice(data.train_dataloader(), 20))) <= set(range(800, 900))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_training_batches_are_endless_and_whole(num_workers: int) -> None:
    data = LabData(numbered(500), DataConfig(batch_size=4, num_workers=num_workers), 16, seed=0)
    batches = list(islice(data.train_dataloader(), 30))
    assert len(batches) == 30
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (4, 16)
        assert inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(targets, inputs + 1)


def test_workers_seeds_and_shuffling() -> None:
    def batches(seed: int = 0, **options: object) -> list[list[int]]:
        data = LabData(numbered(500), DataConfig(batch_size=4, **options), 16, seed)  # type: ignore[arg-type]
        return [inputs[:, 0].tolist() for inputs, _ in islice(data.train_dataloader(), 15)]

    assert batches() == batches() == batches(num_workers=2)
    assert batches() != batches(seed=1)
    in_order = [row for batch in batches(shuffle=False) for row in batch]
    n_windows = (450 - 1) // 16
    assert in_order == [16 * (i % n_windows) for i in range(60)]


def test_a_continued_run_gets_the_batches_that_were_left() -> None:
    def data() -> LabData:
        return LabData(numbered(500), DataConfig(batch_size=4), 16, seed=0)

    whole = list(islice(data().train_dataloader(), 20))
    continued = data()
    continued.load_state_dict({"step": 9, "position": 36})
    assert continued.position == 36
    for ours, theirs in zip(continued.train_dataloader(), whole[9:], strict=False):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_get_dataloader() -> None:
    text = "The fox had a plan, and the plan had a hole. " * 40
    tokens = torch.tensor(Tokenizer().encode(text))
    loader = get_dataloader(text, batch_size=3, context_length=8, shuffle=False)
    batches = list(loader)
    n_windows = (len(tokens) - 1) // 8
    assert len(loader) == len(batches) == n_windows // 3
    for i, (inputs, targets) in enumerate(batches):
        assert inputs.shape == targets.shape == (3, 8)
        assert inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(inputs.flatten(), tokens[24 * i : 24 * i + 24])
        assert torch.equal(targets.flatten(), tokens[24 * i + 1 : 24 * i + 25])


def test_get_dataloader_options() -> None:
    text = "one two three four five six seven eight nine ten eleven"  # 11 tokens

    def sizes(**options: object) -> list[int]:
        return [len(inputs) for inputs, _ in get_dataloader(text, context_length=4, **options)]  # type: ignore[arg-type]

    assert sizes(batch_size=2, stride=2) == [2, 2]  # windows at 0, 2, 4, 6
    assert sizes(batch_size=3, stride=2) == [3]
    assert sizes(batch_size=3, stride=2, drop_last=False) == [3, 1]
    assert sizes(batch_size=2) == [2]  # windows at 0 and 4


def test_get_dataloader_shuffles_by_the_global_seed() -> None:
    text = " ".join(str(i) for i in range(300))

    def epoch(seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        return [inputs.flatten().tolist() for inputs, _ in get_dataloader(text, context_length=8)]

    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)


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


def test_get_dataloader_has_the_fables_ready() -> None:
    inputs, targets = next(iter(get_dataloader()))
    assert inputs.shape == targets.shape == (4, 256)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    assert len(Tokenizer().decode(inputs[0].tolist()).split()) > 100


@pytest.mark.parametrize("text", ["", "too short"])
def test_get_dataloader_refuses_a_text_without_a_window(text: str) -> None:
    with pytest.raises(LabError):
        get_dataloader(text, context_length=8)


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
