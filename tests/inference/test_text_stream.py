"""Text as it grows: whole characters only, and nothing of a stop."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.inference.text_stream import TextStream
from lab.tokenizer import Tokenizer


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("🦊ß日é"))
def test_characters_are_streamed_whole(text: str) -> None:
    stream = TextStream(Tokenizer())
    pieces = [stream.push(token) for token in Tokenizer().encode(text)]
    assert "".join(pieces) == text  # no character is broken: a broken one would be U+FFFD for good
    assert stream.finish() == ""
    assert (stream.text, stream.ended) == (text, "max_tokens")


@settings(max_examples=300)
@given(st.text("ab🦊", max_size=12), st.lists(st.text("ab🦊", min_size=1, max_size=4), max_size=3))
def test_stops_are_found_wherever_the_tokens_are_cut(text: str, stops: list[str]) -> None:
    tokenizer = Tokenizer()
    stream = TextStream(tokenizer, stops)
    pieces = []
    for character in text:  # one token for each letter, several for the fox
        for token in tokenizer.encode(character):
            pieces.append(stream.push(token))
            assert not any(stop in "".join(pieces) for stop in stops)
    pieces.append(stream.finish())
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(stop) for stop in stops)]
    expected = text
    if ends:  # the first that is complete; of several that end there, the longest
        begun = text[: ends[0]]
        expected = begun[: -max(len(stop) for stop in stops if begun.endswith(stop))]
    assert "".join(pieces) == stream.text == expected
    assert stream.ended == ("stop" if ends else "max_tokens")


def test_what_never_becomes_a_character_is_marked_at_the_end() -> None:
    fox = Tokenizer().encode("🦊")
    stream = TextStream(Tokenizer())
    assert [stream.push(token) for token in fox[:-1]] == [""] * (len(fox) - 1)
    assert stream.finish() == "\ufffd"


def test_end_of_text_ends_the_text() -> None:
    stream = TextStream(Tokenizer(), ["zz"])
    assert stream.push(Tokenizer().encode("z")[0]) == ""
    assert stream.push(Tokenizer().endoftext) == "z"  # no stop after all
    assert stream.ended == "end_of_text"
    assert stream.push(Tokenizer().encode("more")[0]) == stream.finish() == ""
