"""A vocabulary that is learnt: the merges that the algorithm must find, the same each time."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from support.tokenizers import FABLES

from lab.errors import LabError
from lab.tokenizers import bpe


def test_the_most_frequent_pair_is_joined_first() -> None:
    text = "abab abab cd cd cd cd cd"
    # Counted by hand: a word begins with its blank. "cd" stands 5 times, "ab" 4; then " cd" 4.
    pairs = Counter(pair for word in ["abab", " abab", *[" cd"] * 5] for pair in pairwise(word))
    assert pairs[("c", "d")] == 5
    tokenizer = bpe.learn([text], 260)
    first = [tokenizer.decode_bytes([token]) for token in range(256, tokenizer.vocab_size - 1)]
    assert first[0] in (b"cd", b" c")
    assert b"ab" in first
    assert tokenizer.endoftext == tokenizer.vocab_size - 1 == 259


def test_the_same_text_gives_the_same_vocabulary_and_more_tokens_shorter_texts() -> None:
    small, again, large = bpe.learn([FABLES], 400), bpe.learn([FABLES], 400), bpe.learn([FABLES], 1000)
    assert small.content == again.content
    assert small.fingerprint == again.fingerprint != large.fingerprint
    lengths = [len(tokenizer.encode(FABLES)) for tokenizer in (small, large)]
    assert len(FABLES) > lengths[0] > lengths[1]


def test_a_text_with_few_pairs_makes_a_small_vocabulary() -> None:
    assert bpe.learn(["abc"], 1000).vocab_size == 257
    with pytest.raises(LabError, match="has no room for the bytes: it must be at least 257"):
        bpe.learn(["abc"], 256)


def test_long_rows_of_anything_are_encoded() -> None:
    tokenizer = bpe.learn([FABLES], 300)
    for sign in (" ", "a", "\n"):
        text = sign * 200_000 + "b"
        assert tokenizer.decode(tokenizer.encode(text)) == text
    noise = "".join(random.Random(0).choices("ab \n", k=20_000))
    assert tokenizer.decode(tokenizer.encode(noise)) == noise
