"""The levels that a run writes before its first step are those that its text has, and that its results tell."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support.commands import TINY, tiny

from lab.config import compose
from lab.config.schema import check
from lab.data.mixture import Piece
from lab.data.prepare import make_tokenizer, read_corpus
from lab.runs.yardsticks import read_yardsticks
from lab.training.datamodule import make_data


def cut(folder: Path, *words: str) -> list[Piece]:
    """What trains and what validates, of a run with these options."""
    config = check(compose.compose_config([*TINY, *words]))
    tokenizer = make_tokenizer(config.tokenizer, config.corpus, config.data, folder)
    return list(make_data(read_corpus(config.corpus, folder, tokenizer), config).pieces)


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


def test_a_mixture_has_them_by_its_shares(tmp_path: Path) -> None:
    """By hand: each part's frequencies, times its share. No floor, for nobody knows the fables' own."""
    words = ("corpus=mix", "corpus.parts=[fables,{corpus:grammar,documents:300}]", "corpus.weights=[3,1]")
    done = tiny(tmp_path, *words, "tokenizer=bytes", "data.max_val_tokens=1000", "trainer.max_steps=1")
    found = read_yardsticks(done.run, {})
    assert found.floor_loss is None
    pieces = cut(tmp_path, *words, "tokenizer=bytes", "data.max_val_tokens=1000")
    sizes = [len(piece.train) for piece in pieces]
    each = [np.bincount(piece.train, minlength=257) / size for piece, size in zip(pieces, sizes, strict=True)]
    frequency = 0.75 * each[0] + 0.25 * each[1]
    targets = np.concatenate([piece.val[1:] for piece in pieces])
    by_hand = min(
        -np.log((frequency[targets] * sum(sizes) + alpha) / (sum(sizes) + alpha * 257)).mean()
        for alpha in (1, 0.1, 0.01)
    )
    assert found.unigram_val_loss == pytest.approx(by_hand, rel=1e-9)


def test_a_mixture_of_grammars_has_a_floor(tmp_path: Path) -> None:
    """That of its parts, by their validation tokens and bytes; as each has it by itself."""
    parts = [f"{{corpus:grammar,documents:{n},seed:{seed}}}" for n, seed in ((300, 1), (500, 2))]
    small = ("tokenizer=bytes", "trainer.max_steps=1", "sample.max_tokens=0", "data.max_val_tokens=null")
    done = tiny(tmp_path, "corpus=mix", f"corpus.parts=[{','.join(parts)}]", *small, "hydra.run.dir=mix")
    found = read_yardsticks(tmp_path / "mix", {})
    nats, targets = 0.0, 0
    for n, seed in ((300, 1), (500, 2)):
        name = f"alone-{seed}"
        alone = ("corpus=grammar", f"corpus.documents={n}", f"corpus.seed={seed}")
        tiny(tmp_path, *alone, *small, f"hydra.run.dir={name}")
        own = read_yardsticks(tmp_path / name, {})
        (piece,) = cut(tmp_path, *alone, *small)
        assert own.floor_loss is not None
        nats, targets = nats + own.floor_loss * (len(piece.val) - 1), targets + len(piece.val) - 1
    assert found.floor_loss == pytest.approx(nats / targets, rel=1e-9)
    # A token is a byte, but for the ends of documents, which are no text.
    assert found.floor_bits_per_byte is not None
    assert found.floor_bits_per_byte > found.floor_loss / math.log(2)
    assert "best possible" in done.out
