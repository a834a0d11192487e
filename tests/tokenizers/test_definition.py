"""A tokenizer as plain values: the same one comes out, and what comes from anywhere is looked at."""

from typing import Any

import pytest
from support.tokenizers import FABLES, byte_pairs, characters

from lab.errors import LabError
from lab.files.validation import Unfit, bounded, plain
from lab.tokenizer import Tokenizer
from lab.tokenizers import definition
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.contract import TextTokenizer


@pytest.mark.parametrize("tokenizer", [Tokenizer(), ByteTokenizer(), characters(), byte_pairs()], ids=lambda t: t.name)
def test_a_tokenizer_is_built_again_from_plain_values(tokenizer: TextTokenizer) -> None:
    described = definition.check(plain(tokenizer.definition, ""), "tokenizer")
    bounded(described)
    again = definition.make(described)
    assert again.fingerprint == tokenizer.fingerprint
    assert (again.name, again.vocab_size, again.endoftext) == (
        tokenizer.name,
        tokenizer.vocab_size,
        tokenizer.endoftext,
    )
    assert again.encode(FABLES[:500]) == tokenizer.encode(FABLES[:500])
    assert definition.called(described) == tokenizer.name


@pytest.mark.parametrize(
    "found",
    [
        7,
        "x" * 101,
        {},
        {"name": ["bpe"]},
        {"name": "mine"},
        {"name": "chars"},
        {"name": "chars", "characters": 5},
        {"name": "bpe", "tokenizer_json": "{}"},
        {"name": "hf", "tokenizer_json": "{}", "endoftext": True},
        {"name": "hf", "tokenizer_json": "{}", "endoftext": -1},
    ],
)
def test_what_is_no_definition_is_refused(found: Any) -> None:
    with pytest.raises(Unfit, match="tokenizer"):
        definition.check(found, "tokenizer")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ("gpt9", "does not know"),
        ({"name": "hf", "tokenizer_json": "{", "endoftext": 1}, "damaged"),
        ({"name": "bpe", "tokenizer_json": byte_pairs().content, "endoftext": 3}, "no token with the id 3"),
    ],
)
def test_what_makes_no_tokenizer_is_refused_in_a_sentence(found: Any, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        definition.make(definition.check(found, "tokenizer"))
