"""A text as its tokens, fit to be printed; and the first merges."""

import pytest
from support.tokenizers import byte_pairs, characters

from lab.tokenizer import Tokenizer
from lab.tokenizers import bpe
from lab.tokenizers.view import first_merges, printable, view


def test_tokens_and_bytes_of_a_text() -> None:
    seen = view(characters(), "The\n🦊", 5)
    assert [piece.text for piece in seen.pieces] == ["T", "h", "e", "\\n", "\\xf0", "\\x9f", "\\xa6", "\\x8a"]
    assert (seen.n_bytes, seen.bytes_per_token, seen.merges) == (8, 1.0, [])
    assert view(characters(), "").bytes_per_token == 0


def test_the_first_merges_are_what_the_vocabulary_was_built_from() -> None:
    tokenizer = byte_pairs()
    merges = first_merges(tokenizer, 30)
    assert [left + right for left, right in merges] == [
        printable(tokenizer.decode_bytes([token])) for token in range(256, 286)
    ]
    assert first_merges(Tokenizer(), 3) == [(" ", "t"), (" ", "a"), ("h", "e")]
    assert first_merges(bpe.learn(["猫猫猫猫"], 258), 1) in ([("\\xe7", "\\x8c")], [("\\x8c", "\\xab")])


@pytest.mark.parametrize(
    ("data", "shown"), [(b"a b", "a b"), (b"\x1b[2J", "\\x1b[2J"), ("é\u202e".encode(), "é\\u202e")]
)
def test_nothing_that_moves_a_cursor_is_printed(data: bytes, shown: str) -> None:
    assert printable(data) == shown
