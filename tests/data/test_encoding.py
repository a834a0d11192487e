"""Documents to token ids: cut where no token can reach across, and put together again in order."""

import json
import re
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.tokenizers import byte_pairs, characters, sentencepiece_like, wide

from lab.data import encoding
from lab.data.encoding import encode_documents, encode_jobs, jobs, safe_chunks
from lab.tokenizer import Tokenizer
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.contract import TextTokenizer
from lab.tokenizers.hf import JsonTokenizer

few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TOKENIZER = Tokenizer()
END = TOKENIZER.endoftext

blanks = " \n\t\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\u200b\u180e\ufeff"
UNSPACED = "aZé猫狐。，「」'’0ｱかคืธิ١½_-.stlre"
"""Letters, digits and signs of many kinds, and contractions, with no blank between them."""
texts = (
    st.text()
    | st.text(st.sampled_from(UNSPACED), max_size=60)
    | st.text(st.sampled_from(UNSPACED + " \n"), max_size=60)
    | st.text(st.sampled_from(blanks + "      ab'stE.,19éß猫🦊"))
    | st.text(st.sampled_from(" \u00a0\na"))
)
"""Anything; all kinds of blanks among letters, digits and signs; long rows of blanks."""


def cut(text: str, borders: list[int]) -> list[str]:
    """``text`` in pieces, as reads of a file would bring it."""
    places = sorted({0, len(text), *(border % (len(text) + 1) for border in borders)})
    return [text[start:stop] for start, stop in pairwise(places)]


ALL: dict[str, TextTokenizer] = {
    "gpt2": TOKENIZER,
    "bytes": ByteTokenizer(),
    "chars": characters(),
    "bpe": byte_pairs(),
    "hf like gpt2": JsonTokenizer("hf", json.dumps(wide(300))),
    "hf like llama2": JsonTokenizer("hf", json.dumps(sentencepiece_like())),
}


@pytest.mark.parametrize("name", ALL)
@few
@given(texts, st.integers(1, 12), st.lists(st.integers(0, 1000), max_size=5))
@example("a  b", 1, [])
@example("it 's", 1, [])
@example("猫\n\n\n猫", 1, [])
@example("don't,1st", 1, [])
@example("a \u00a0 \u00a0\u00a0b", 1, [])  # GPT-2 has a token for these four blanks, with a plain one inside
def test_portions_encode_like_the_whole_text(name: str, text: str, size: int, borders: list[int]) -> None:
    tokenizer = ALL[name]
    portions = list(jobs([iter(cut(text, borders))], tokenizer, size))
    chunks = [chunk for job in portions for chunk in job if chunk is not None]
    assert "".join(chunks) == text
    assert all(chunks)
    assert chunks == [chunk for job in jobs([iter([text])], tokenizer, size) for chunk in job]
    pieces = [ids for _, ids in encode_jobs(((None, job) for job in portions), tokenizer)]
    assert [token for piece in pieces for token in piece.tolist()] == tokenizer.encode(text)


UNBROKEN = {
    "Chinese prose": "狐狸看见了乌鸦，乌鸦嘴里有一块奶酪。" * 40,
    "letters and digits": "3f9a0c77be12" * 60,
    "code": "f(x){return(x+1);}" * 40,
    "line ends": "猫" * 30 + "\n" * 400 + "猫" * 300 + "，" + "猫" * 30,
    "Thai": "กินข้าวที่บ้าน" * 50,
}


@pytest.mark.parametrize("text", UNBROKEN.values(), ids=UNBROKEN)
def test_a_text_without_a_blank_is_cut_all_the_same(text: str) -> None:
    chunks = list(safe_chunks(iter([text]), 50))
    assert len(chunks) > 2
    assert [token for chunk in chunks for token in TOKENIZER.encode(chunk)] == TOKENIZER.encode(text)


def test_a_word_of_more_than_a_million_letters_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LONGEST", 1000)
    for pieces in (["a" * 5003], ["a" * 7] * 714 + ["a" * 5]):
        assert [len(chunk) for chunk in safe_chunks(iter(pieces), 100)] == [1000] * 5 + [3]


def test_many_short_documents_are_one_portion() -> None:
    found = list(jobs((iter([f"story {number} "]) for number in range(100)), TOKENIZER, 300))
    assert len(found) < 10
    assert sum(job.count(None) for job in found) == 99


@few
@given(st.lists(st.text(st.sampled_from("abc."), min_size=1, max_size=6), max_size=200), st.integers(8, 40))
def test_chunks_of_a_text_that_comes_in_small_pieces_are_small(words: list[str], size: int) -> None:
    text = " ".join(words)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert all(len(chunk) <= 2 * size for chunk in safe_chunks(iter(pieces), size))


def test_chunks_of_a_text_that_comes_in_one_piece_are_small() -> None:
    """As a document of a .jsonl file does, and a text given to get_dataloader."""
    assert all(len(chunk) <= 200 for chunk in safe_chunks(iter(["word " * 1000]), 100))


def test_without_a_blank_there_is_no_border() -> None:
    assert list(safe_chunks(iter(["abc", "def", "ghi"]), 2)) == ["abcdefghi"]


def test_lines_without_a_blank_in_them_have_borders() -> None:
    """In Chinese, say: nobody has to hold the whole book in memory."""
    text = ("猫" * 30 + "\n\n") * 100
    chunks = list(safe_chunks(iter([text]), 100))
    assert max(map(len, chunks)) < 200
    assert [token for chunk in chunks for token in TOKENIZER.encode(chunk)] == TOKENIZER.encode(text)


@pytest.mark.parametrize("unit", ["a", " ", "\n ", "猫"])
def test_a_text_without_a_border_is_looked_through_once(unit: str) -> None:
    looked = 0

    class Watched:
        def search(self, text: str, start: int) -> None:
            nonlocal looked
            looked += max(0, len(text) - start)

    pieces = [unit * (500 // len(unit))] * 200
    assert "".join(safe_chunks(iter(pieces), 500, cast("re.Pattern[str]", Watched()))) == "".join(pieces)
    assert looked < 2 * 500 * 200


@few
@given(st.lists(st.text(st.sampled_from("ab é猫."), max_size=8), max_size=8))
def test_one_separator_between_documents_and_none_for_empty_ones(stories: list[str]) -> None:
    expected: list[int] = []
    for story in filter(None, stories):
        expected += ([END] if expected else []) + TOKENIZER.encode(story)
    pieces = list(encode_documents([iter([story]) for story in stories], TOKENIZER))
    assert [token for piece in pieces for token in piece.tolist()] == expected
    assert all(piece.dtype == np.uint16 for piece in pieces)
