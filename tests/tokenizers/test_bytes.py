"""A byte is a token."""

from lab.tokenizers.bytes import ByteTokenizer


def test_ids_are_the_bytes() -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.encode("aé\0") == [97, 0xC3, 0xA9, 0]
    assert (tokenizer.vocab_size, tokenizer.endoftext) == (257, 256)
    assert tokenizer.decode([0xC3]) == "\ufffd"
    assert tokenizer.decode_bytes([256]) == b"<|endoftext|>"
