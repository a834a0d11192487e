"""The texts of ``corpus=grammar``."""

import math
import re
from itertools import islice

from lab.data.sentences import documents, grammar


def test_texts_follow_from_the_seed_and_their_number() -> None:
    some = list(documents(3, 20))
    assert list(islice(documents(3, 10**12), 20)) == some  # made one at a time
    assert some[7:9] == list(documents(3, 9))[7:]
    assert not set(some) & set(documents(4, 20))
    assert all(math.isfinite(grammar().information(text)) for text in some)


def test_they_are_english_of_a_kind() -> None:
    for text in documents(0, 300):
        assert re.fullmatch(r"At the \w+\n\n([A-Z][a-z]*( [a-z]+)+\. ?)+(?<! )", text), text
        assert not re.search(r"\b(a|A) [aeiou]", text), text
        for one, many in (("this", "ies|ves|ers"), ("every", "mice|geese")):
            assert not re.search(rf"\b{one} \w*({many})\b", text), text


def test_a_verb_agrees_with_its_subject_across_a_clause() -> None:
    told = "At the mill\n\nThe {} that the miller fears {}."
    right = [told.format("goat", "sleeps"), told.format("goats", "sleep")]
    wrong = [told.format("goat", "sleep"), told.format("goats", "sleeps")]
    assert all(math.isfinite(grammar().information(text)) for text in right)
    assert all(math.isinf(grammar().information(text)) for text in wrong)
    assert math.isinf(grammar().information(right[0].replace("mill\n", "market\n")))  # where there is no goat
