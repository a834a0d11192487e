"""The laws that hold for every tokenizer of the lab, whatever the text."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokenizers import FABLES, byte_pairs, characters, sentencepiece_like

from lab.tokenizer import ENDOFTEXT, Tokenizer
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.contract import PieceTokenizer, TextTokenizer, id_type, token_text
from lab.tokenizers.hf import JsonTokenizer

EACH: dict[str, TextTokenizer] = {
    "gpt2": Tokenizer(),
    "bytes": ByteTokenizer(),
    "chars": characters(),
    "bpe": byte_pairs(),
}
LLAMA = JsonTokenizer("hf", json.dumps(sentencepiece_like()))
texts = (
    st.text()
    | st.text(st.sampled_from(" \n\t\u00a0ab'stE.,19éß猫🦊▁Ġ<>|"))
    | st.sampled_from([ENDOFTEXT, FABLES[:999]])
)


@pytest.mark.parametrize("name", EACH)
@settings(max_examples=50, deadline=None)
@given(text=texts)
def test_every_text_comes_back_and_its_bytes_are_counted_once(name: str, text: str) -> None:
    tokenizer = EACH[name]
    ids = tokenizer.encode(text)
    assert tokenizer.name == name
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode_bytes(ids) == text.encode()
    assert tokenizer.byte_lengths()[ids].sum() == len(text.encode())
    assert tokenizer.endoftext not in ids
    assert tokenizer.encode_array(text).tolist() == ids


@pytest.mark.parametrize("tokenizer", EACH.values(), ids=EACH)
def test_what_is_no_text_is_refused(tokenizer: TextTokenizer) -> None:
    with pytest.raises(ValueError, match="a lone surrogate stands at character 3"):
        tokenizer.encode("caf\udce9")
    assert tokenizer.byte_lengths()[tokenizer.endoftext] == 0
    assert tokenizer.encode_array("ab").dtype == np.uint16
    assert tokenizer.byte_lengths().shape == (tokenizer.vocab_size,)


@pytest.mark.parametrize("tokenizer", EACH.values(), ids=EACH)
def test_a_text_may_be_cut_at_its_borders(tokenizer: TextTokenizer) -> None:
    text = FABLES[:2000]
    assert tokenizer.border is not None
    places = [found.start() for found in tokenizer.border.finditer(text)][1::7]
    cut = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    assert len(cut) > 20
    assert [token for piece in cut for token in tokenizer.encode(piece)] == tokenizer.encode(text)


def test_ids_take_two_bytes_as_long_as_they_can() -> None:
    assert (id_type(65_536).itemsize, id_type(65_537).itemsize) == (2, 4)
    with pytest.raises(NotImplementedError):
        PieceTokenizer([b"a", b""], 1).encode_array("a")


def test_a_token_by_itself_is_shown_as_far_as_it_is_text() -> None:
    assert token_text(EACH["bytes"], 0xE7) == "\ufffd"
    assert token_text(LLAMA, LLAMA.encode("the fox")[1]) == " fox"
