"""The floor against a model that knows the grammar, asked for one token after the other; and a training over it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from support.commands import inside, scalars, tiny

from lab import evaluate
from lab.config.corpus_schema import CorpusConfig
from lab.data.sentences import documents, grammar
from lab.data.token_file import TokenFile
from lab.runs import events
from lab.tokenizers.bytes import ByteTokenizer
from lab.training import floor

CONFIG = CorpusConfig("grammar", "grammar", seed=5, documents=6)


def in_tokens() -> np.ndarray:
    tokenizer = ByteTokenizer()
    found: list[int] = []
    for text in documents(5, 6):
        found += [tokenizer.endoftext, *tokenizer.encode(text)]
    return np.array(found[1:], dtype=np.uint16)


def kept(tokens: np.ndarray, folder: Path) -> TokenFile:
    """A token file."""
    tokens.astype("<u2").tofile(folder / "tokens.bin")
    return TokenFile(folder / "tokens.bin", "", len(tokens), 6, 0, 0, 0)


def one_by_one(tokens: np.ndarray, n_val: int) -> tuple[float, int]:
    """The bits of each of the last tokens but the first, by what stands before it in its document; and the bytes."""
    end, bits, n_bytes = ByteTokenizer().endoftext, 0.0, 0
    for place in range(len(tokens) - n_val + 1, len(tokens)):
        begin = max([i + 1 for i in range(place) if tokens[i] == end], default=0)
        known = bytes(tokens[begin:place].tolist()).decode()
        before = grammar().information(known, whole=False)
        if tokens[place] == end:
            bits += grammar().information(known) - before
        else:
            bits += grammar().information(known + chr(tokens[place]), whole=False) - before
            n_bytes += 1
    return bits, n_bytes


@pytest.mark.parametrize("n_val", [2, 40, 400, 600, -1, 0])
def test_it_is_what_a_model_would_need_that_knows_the_grammar(n_val: int, tmp_path: Path) -> None:
    tokens = in_tokens()
    ends = np.flatnonzero(tokens == ByteTokenizer().endoftext)
    # The last two: what is given ends with the end of a document, or right before it.
    n_val = n_val if n_val > 0 else int(len(tokens) - ends[-1] + (n_val < 0))
    bits, n_bytes = one_by_one(tokens, n_val)
    found = floor.find(CONFIG, kept(tokens, tmp_path), n_val, ByteTokenizer())
    assert found is not None
    assert found.bits_per_byte == pytest.approx(bits / n_bytes)
    assert found.loss == pytest.approx(bits * math.log(2) / (n_val - 1))
    assert found.source == grammar().source().bits_per_character


def test_of_other_texts_nothing_is_known(tmp_path: Path) -> None:
    assert floor.find(CorpusConfig("fables", "bundled"), kept(in_tokens(), tmp_path), 40, ByteTokenizer()) is None
    lower = np.array([t + 32 if 65 <= t <= 90 else t for t in in_tokens()])  # by a tokenizer that changes the text
    assert floor.find(CONFIG, kept(lower, tmp_path), 400, ByteTokenizer()) is None


def test_a_training_says_how_far_it_is_from_the_best_possible(tmp_path: Path) -> None:
    words = ("corpus=grammar", "corpus.documents=60", "corpus.seed=3", "tokenizer=bytes", "save=true")
    done = tiny(tmp_path, *words, "trainer.max_steps=4", "eval_every=2")
    results = done.results
    least = results["floor_bits_per_byte"]
    assert 0.4 < least < 0.8
    assert f"{least:.4f} bits per byte of the validation text" in done.out
    assert f"you are {results['bits_per_byte'] - least:.4f} bits a byte above it" in done.out
    curves = scalars(done.run)
    assert curves["floor_bits_per_byte"].keys() == curves["val_bits_per_byte"].keys() == {0, 2, 4}
    assert list(curves["floor_bits_per_byte"].values()) == pytest.approx([least] * 3)
    logged = {e["step"]: e["floor_loss"] for e in events.read(done.run) if "floor_loss" in e}
    assert logged == dict.fromkeys((0, 2, 4), results["floor_loss"])
    # The text follows from the options, which are taken over by whoever goes on or measures.
    again = tiny(tmp_path, "resume=last", "trainer.max_steps=5")
    assert again.results["floor_bits_per_byte"] == least
    code, out, err = inside(evaluate.main, tmp_path, "checkpoint=last", "format=json")
    assert code == 0, err
    assert json.loads(out)["loss"] == pytest.approx(again.results["val_loss"], rel=1e-6)


def test_options_of_a_grammar_go_with_a_grammar(tmp_path: Path) -> None:
    from support.commands import train_here

    for words, said in (
        (("corpus.documents=3",), "corpus.documents= goes with corpus=grammar"),
        (("corpus=grammar", "corpus.documents=null"), "corpus=grammar needs corpus.documents="),
        (("corpus=grammar", "corpus.documents=0"), "corpus.documents=0 is out of range"),
    ):
        done = train_here(tmp_path, *words)
        assert done.code == 1
        assert said in done.err
