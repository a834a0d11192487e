"""A text known by its hash: the same however it arrives, another for another text or tokenizer."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.data.text_digest import TextDigest, TextFacts, of_name
from lab.tokenizer import ENDOFTEXT, Tokenizer
from lab.tokenizers.bytes import ByteTokenizer

few = settings(max_examples=100, deadline=None)
one_story = st.lists(st.text(st.sampled_from("ab<|é"), max_size=3) | st.just(ENDOFTEXT), max_size=4).map("".join)
stories = st.lists(one_story, max_size=5)


def facts(documents: list[list[str]], tokenizer: Tokenizer | ByteTokenizer = Tokenizer()) -> TextFacts:  # noqa: B008
    digest = TextDigest(tokenizer)
    passed = [list(document) for document in digest.watching(iter(document) for document in documents)]
    assert passed == documents
    return digest.facts()


@few
@given(stories, st.lists(st.integers(0, 100), max_size=5))
def test_where_the_reads_end_does_not_matter(texts: list[str], borders: list[int]) -> None:
    def cut(text: str) -> list[str]:
        places = sorted({0, len(text), *(border % (len(text) + 1) for border in borders)})
        return [text[start:stop] for start, stop in pairwise(places)]

    found = facts([cut(text) for text in texts])
    assert found == facts([[text] for text in texts if text])
    assert found.n_documents == sum(map(bool, texts))
    assert found.n_bytes == len("".join(texts).encode())
    assert found.n_mentions == sum(text.count(ENDOFTEXT) for text in texts)


@few
@given(stories, stories)
def test_other_documents_have_another_hash(one: list[str], other: list[str]) -> None:
    same = list(filter(None, one)) == list(filter(None, other))
    assert (facts([[text] for text in one]) == facts([[text] for text in other])) == same


def test_another_tokenizer_has_another_hash() -> None:
    assert facts([["a"]]).fingerprint != facts([["a"]], ByteTokenizer()).fingerprint
    assert of_name("a", Tokenizer()) != of_name("a", ByteTokenizer()) != of_name("b", ByteTokenizer())
