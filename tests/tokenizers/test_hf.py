"""Tokenizers of others: ids as their own library gives them, bytes counted exactly, nothing believed."""

import json
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokenizers import byte_pairs, sentencepiece_like, wide, write_json

from lab.errors import LabError
from lab.tokenizers import hf

LLAMA = hf.JsonTokenizer("hf", json.dumps(sentencepiece_like()))
THEIRS = tokenizers.Tokenizer.from_str(json.dumps(sentencepiece_like()))


@settings(max_examples=100, deadline=None)
@given(text=st.text("the fox é猫🦊\n", max_size=30))
def test_one_like_llamas_gives_its_ids_and_counts_the_text_without_the_blank_in_front(text: str) -> None:
    ids = LLAMA.encode(text)
    assert ids == THEIRS.encode(text, add_special_tokens=False).ids
    assert LLAMA.decode(ids) == text == THEIRS.decode(ids)
    document = [LLAMA.endoftext, *ids]  # one that follows another
    assert LLAMA.byte_lengths()[document].sum() == len(text.encode()) - (not text)


def test_blanks_and_bytes_of_one_like_llamas() -> None:
    ids = LLAMA.encode("the fox 🦊")
    assert [LLAMA.decode_bytes([token]) for token in ids] == [
        b" the",
        b" fox",
        b" ",
        b"\xf0",
        b"\x9f",
        b"\xa6",
        b"\x8a",
    ]
    assert LLAMA.border is None  # nothing is known of where it may be cut
    assert LLAMA.decode_bytes([LLAMA.endoftext]) == b"</s>"


def test_special_tokens_in_a_text_are_text() -> None:
    for tokenizer, end in ((byte_pairs(), "<|endoftext|>"), (LLAMA, "</s>")):
        ids = tokenizer.encode(f"the {end} fox")
        assert tokenizer.endoftext not in ids
        assert tokenizer.decode(ids) == f"the {end} fox"


def test_more_tokens_than_two_bytes_can_number() -> None:
    tokenizer = hf.JsonTokenizer("hf", json.dumps(wide()))
    ids = tokenizer.encode_array("the fox and the crow")
    assert ids.dtype.itemsize == 4
    assert ids.max() > 65_536
    assert tokenizer.decode(ids.tolist()) == "the fox and the crow"


def test_the_files_beside_it_say_which_token_ends_a_text(tmp_path: Path) -> None:
    file = write_json(tmp_path / "tokenizer.json", sentencepiece_like())
    assert hf.open_path(file).endoftext == 2
    write_json(tmp_path / "tokenizer_config.json", {"eos_token": {"content": "<s>"}})
    assert hf.open_path(tmp_path).endoftext == 1
    write_json(tmp_path / "tokenizer_config.json", {"eos_token": "</s>"})
    assert hf.open_path(tmp_path).endoftext == 2
    assert hf.open_path(tmp_path).fingerprint == hf.open_path(file).fingerprint


def _without_end(found: dict[str, Any]) -> None:
    found["added_tokens"] = []


def _word_piece(found: dict[str, Any]) -> None:
    found["normalizer"] = found["decoder"] = None
    found["model"]["byte_fallback"] = False


def _far_id(found: dict[str, Any]) -> None:
    found["model"]["vocab"]["far"] = 4_000_000_000


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_without_end, "no special token that ends a text"),
        (_word_piece, "do not say which bytes they stand for"),
        (_far_id, "the lab takes vocabularies up to 2,000,000"),
        (lambda found: found.update(model={"type": "BPE"}), "damaged or of another kind"),
        (lambda found: found.update(model=7), "damaged or of another kind"),
        (lambda found: found["model"].update(merges=["x y"]), "damaged or of another kind"),
        (lambda found: found.update(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "damaged or"),
    ],
)
def test_one_that_is_no_use_is_refused_in_a_sentence(tmp_path: Path, change: Any, sentence: str) -> None:
    found = sentencepiece_like()
    change(found)
    with pytest.raises(LabError, match=sentence) as told:
        hf.open_path(write_json(tmp_path / "tokenizer.json", found))
    assert str(told.value).startswith(str(tmp_path))


def test_what_is_no_file_of_that_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"has no tokenizer\.json"):
        hf.open_path(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(b"\xff")
    with pytest.raises(LabError, match="cannot be read"):
        hf.open_path(tmp_path)
