"""Token files of other programs: opened where they lie, checked once, trained on."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.commands import TINY, inside, tiny, train_here
from support.tokenizers import FABLES

from lab import evaluate
from lab.config.corpus_schema import CorpusConfig
from lab.config.schema import DataConfig
from lab.data import bin_tokens, stamps
from lab.data.prepare import read_corpus
from lab.errors import LabError
from lab.tokenizer import Tokenizer
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.contract import TextTokenizer

TOKENIZER = Tokenizer()
IDS = [*TOKENIZER.encode(FABLES[:8000]), TOKENIZER.endoftext, *TOKENIZER.encode(FABLES[8000:16000])]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the two files of nanoGPT's ``prepare.py``."""
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    np.array(IDS, dtype=np.uint16).tofile(tmp_path / "train.bin")
    np.array(IDS[:500], dtype=np.uint16).tofile(tmp_path / "val.bin")
    return tmp_path


def test_it_trains_as_the_same_text_does(folder: Path) -> None:
    (folder / "a.txt").write_text(FABLES[:8000])
    (folder / "b.txt").write_text(FABLES[8000:16000])
    options = ("trainer.max_steps=3", "data.val_fraction=0.05")
    from_text = tiny(folder, "corpus=text", "corpus.path=?.txt", *options).results
    from_bin = tiny(folder, "corpus=bin", "corpus.path=train.bin", *options)
    for key in ("train_loss", "val_loss", "bits_per_byte", "unigram_val_loss", "unigram_train_loss"):
        assert from_bin.results[key] == from_text[key], key
    assert from_bin.results["corpus"]["documents"] == 2
    assert "read       2 documents in 1 file" in from_bin.out
    np.array(IDS, dtype=np.uint32).tofile(folder / "wide.bin")
    wide = tiny(folder, "corpus=bin", "corpus.path=wide.bin", "corpus.dtype=uint32", *options)
    assert wide.results["val_loss"] == from_text["val_loss"]
    assert wide.results["corpus"]["fingerprint"] == from_bin.results["corpus"]["fingerprint"]


def test_a_file_of_its_own_validates(folder: Path) -> None:
    done = tiny(folder, "corpus=bin", "corpus.path=train.bin", "corpus.val_path=val.bin", "trainer.max_steps=2")
    assert f"{len(IDS):,} to train on, 300 to validate with" in done.out
    config = CorpusConfig("bin", "bin", "train.bin", val_path="val.bin")
    train, val = read_corpus(config, folder).cut(DataConfig(max_val_tokens=None))
    assert train.tolist() == IDS
    assert val.tolist() == IDS[:500]
    assert isinstance(train, np.memmap)
    assert Path(str(train.filename)) == folder / "train.bin"


def test_it_is_evaluated_where_it_was_trained(folder: Path) -> None:

    done = tiny(
        folder, "corpus=bin", "corpus.path=train.bin", "corpus.val_path=val.bin", "trainer.max_steps=2", "save=true"
    )
    code, out, err = inside(evaluate.main, folder, f"checkpoint={done.run}")
    assert code == 0, err
    assert f"bin, val: 300 of {len(IDS):,} tokens" in out
    assert f"{done.results['val_loss']:.4f}" in out
    more = train_here(folder, "resume=last", "trainer.max_steps=3")
    assert (more.code, more.err) == (0, ""), more.err
    assert more.results["corpus"] == done.results["corpus"]


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (b"\0", (), r"has [\d,]+ bytes, which are no two or more ids of 2 bytes \(uint16\): it is torn"),
        (b"\0\0", ("corpus.dtype=uint32",), r"no two or more ids of 4 bytes|has the id"),
        (
            b"\xff\xff",
            (),
            r"has the id 65,535 at place [\d,]+, and tokenizer=gpt2 has 50,257 tokens: name the",
        ),
        (b"", ("tokenizer=bytes",), "tokenizer=bytes has 257 tokens"),
        (b"", ("tokenizer=chars",), "tokenizer=chars is learnt from a text, and corpus=bin has none"),
        (b"", ("corpus.val_path=none.bin",), "none.bin cannot be read"),
        (b"", ("corpus.dtype=int8",), "corpus.dtype='?int8'? does not fit: choose one of uint16, uint32"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(
    folder: Path, change: bytes, options: tuple[str, ...], said: str
) -> None:
    with (folder / "train.bin").open("ab") as file:
        file.write(change)
    done = train_here(folder, *TINY, "corpus=bin", "corpus.path=train.bin", "trainer.max_steps=1", *options)
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert re.search(said, done.err), done.err
    assert not (folder / "outputs").exists()


def test_without_a_path_it_is_asked_for(folder: Path) -> None:
    assert "add corpus.path=train.bin" in train_here(folder, *TINY, "corpus=bin").err


def test_a_vocabulary_of_its_own_is_warned_of(folder: Path) -> None:
    (folder / "meta.pkl").write_bytes(b"not to be opened")
    done = tiny(folder, "corpus=bin", "corpus.path=train.bin", "trainer.max_steps=1")
    assert "warning    meta.pkl lies beside train.bin" in done.out


def test_it_is_looked_through_once_and_again_when_it_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "_SETTLED", -1_000_000_000)
    looked = []
    look = bin_tokens._look_through

    def counted(tokens: np.ndarray, tokenizer: TextTokenizer) -> dict[str, Any]:
        looked.append(1)
        return look(tokens, tokenizer)

    monkeypatch.setattr(bin_tokens, "_look_through", counted)
    first = bin_tokens.open_file("train.bin", "uint16", folder, TOKENIZER)
    assert bin_tokens.open_file("train.bin", "uint16", folder, TOKENIZER) == first
    assert len(looked) == 1
    with pytest.raises(LabError, match="257 tokens"):
        bin_tokens.open_file("train.bin", "uint16", folder, ByteTokenizer())
    np.array(IDS[::-1], dtype=np.uint16).tofile(folder / "train.bin")
    assert bin_tokens.open_file("train.bin", "uint16", folder, TOKENIZER).fingerprint != first.fingerprint
    assert len(looked) == 3
