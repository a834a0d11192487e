"""A character is a token, and one that was not in the text is written in bytes."""

import pytest

from lab.errors import LabError
from lab.tokenizers import chars, definition


def test_known_characters_are_one_token_and_unknown_ones_their_bytes() -> None:
    tokenizer = chars.learn(["bac", "éa"])
    assert tokenizer.characters == "abcé"
    assert tokenizer.encode("éca") == [259, 258, 256]
    assert tokenizer.encode("a猫b") == [256, 0xE7, 0x8C, 0xAB, 257]
    assert (tokenizer.vocab_size, tokenizer.endoftext) == (261, 260)


def test_the_same_characters_are_the_same_tokenizer() -> None:
    one, same, other = chars.learn(["ab"]), chars.learn(["b", "aab"]), chars.learn(["abc"])
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_half_a_character_in_a_file_is_refused() -> None:
    with pytest.raises(LabError, match="the characters of its tokenizer are damaged"):
        definition.make({"name": "chars", "characters": "a\udce9"})
