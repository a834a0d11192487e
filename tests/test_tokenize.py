"""``python -m lab.tokenize``: a text under each tokenizer."""

import json
from pathlib import Path

import pytest
from support.commands import inside
from support.tokenizers import sentencepiece_like, write_json

from lab import tokenize
from lab.tokenizer import Tokenizer


def ask(folder: Path, *words: str) -> list[dict]:
    code, out, err = inside(tokenize.main, folder, *words, "format=json")
    assert code == 0, err
    return json.loads(out)["tokenizers"]


def test_a_text_in_each_of_them(tmp_path: Path) -> None:
    found = ask(tmp_path, "text=The fox, 🦊", "tokenizer.vocab_size=300")
    assert [one["name"] for one in found] == ["gpt2", "bytes", "chars", "bpe"]
    for one in found:
        assert bytes.fromhex("".join(token["bytes"] for token in one["tokens"])).decode() == "The fox, 🦊"
        assert one["bytes_per_token"] == pytest.approx(13 / len(one["tokens"]))
    assert [token["token_id"] for token in found[0]["tokens"]] == Tokenizer().encode("The fox, 🦊")
    assert found[3]["vocab_size"] == 300
    assert len(found[3]["merges"]) == 10


def test_for_a_person_to_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a b\n" * 100)
    code, out, _ = inside(tokenize.main, tmp_path, "file=notes.txt", "tokenizer=bytes", "tokenizer=gpt2", "merges=2")
    assert code == 0
    first, second = out.split("\n\n")
    assert first.splitlines()[0] == "bytes, a vocabulary of 257: 400 tokens, 1.00 bytes a token"
    assert first.splitlines()[1].startswith("  a| |b|\\n|a|")
    assert "... and 200 more" in first
    assert second.endswith("first merges: ' ' + 't', ' ' + 'a'\n")


def test_a_vocabulary_from_another_text_and_a_tokenizer_of_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "cats.txt").write_text("猫と犬。" * 50)
    write_json(tmp_path / "tokenizer.json", sentencepiece_like())
    chars, hf = ask(
        tmp_path,
        *("text=猫", "tokenizer=chars", "tokenizer=hf", "tokenizer.path=tokenizer.json"),
        *("corpus=text", "corpus.path=cats.txt"),
    )
    assert (chars["vocab_size"], len(chars["tokens"])) == (256 + 4 + 1, 1)
    assert [token["text"] for token in hf["tokens"]] == [" ", "猫"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give a text"),
        (["text=a", "file=b"], "give a text"),
        (["file=nowhere"], "file=nowhere cannot be read"),
        (["text=a", "tokenizer=words"], "tokenizer=words is unknown: choose one of gpt2, bytes"),
        (["text=a", "tokenizer=hf"], "tokenizer=hf needs tokenizer.path="),
        (["text=a", "tokenizer.path=x"], "tokenizer.path= goes with tokenizer=hf"),
        (["text=a", "tokenizer=gpt2", "tokenizer.vocab_size=300"], "tokenizer.vocab_size= goes with tokenizer=bpe"),
        (["text=a", "checkpoint=x", "tokenizer=gpt2"], "give one of them"),
        (["text=caf\udce9"], "text= has bytes that are not UTF-8"),
        (["text=a", "merges=-1"], "merges=-1 is out of range"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(words: list[str], sentence: str, tmp_path: Path) -> None:
    code, _, err = inside(tokenize.main, tmp_path, *words)
    assert code == 1
    assert sentence in err
    assert err.count("\n") == 1
