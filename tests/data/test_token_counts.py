"""How often each token occurs, in blocks."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from lab.data import stamps, token_counts
from lab.data.token_file import TokenFile


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenFile:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    np.random.default_rng(0).integers(0, 300, 50_000).astype("<u2").tofile(tmp_path / "a.bin")
    return TokenFile(tmp_path / "a.bin", "f" * 64, n_tokens=50_000, n_documents=1, n_bytes=1, n_mentions=0, checksum=0)


def test_the_counts_of_blocks_are_those_of_the_whole(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "_BLOCK", 777)
    tokens = file.open()
    assert token_counts.count(tokens, 400).tolist() == np.bincount(tokens, minlength=400).tolist()
    assert token_counts.count(tokens[:0], 400).tolist() == [0] * 400


def test_no_memory_grows_with_the_corpus(tmp_path: Path) -> None:
    tokens = np.memmap(tmp_path / "a.bin", dtype="<u2", mode="w+", shape=(20_000_000,))
    tracemalloc.start()
    assert token_counts.count(tokens, 50_257)[0] == 20_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000


def test_those_of_a_large_corpus_are_kept(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "_KEPT", 1000)
    monkeypatch.setattr(stamps, "_SETTLED", -1_000_000_000)
    tokens = file.open()
    first = token_counts.of_training(file, tokens[:40_000], 10_000, 400)
    assert first.tolist() == np.bincount(tokens[:40_000], minlength=400).tolist()
    assert token_counts.of_training(file, tokens[:49_000], 1000, 400).tolist() != first.tolist()
    with monkeypatch.context() as patch:
        patch.setattr(token_counts, "count", None)
        assert token_counts.of_training(file, tokens[:40_000], 10_000, 400).tolist() == first.tolist()
    np.zeros(50_000, dtype="<u2").tofile(file.path)  # not the tokens that were counted
    assert token_counts.of_training(file, file.open()[:40_000], 10_000, 400)[0] == 40_000
