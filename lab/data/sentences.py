"""The grammar of ``corpus=grammar``, and its texts: little documents of a title and a few sentences.

    At the mill

    The grey goat that watches the miller sleeps. Two geese find the sacks.

What there is to learn, from the easy to the hard: letters and words; how a sentence goes on; that a verb agrees with
its subject, also across a clause in between that has a verb and a number of its own; that who is met depends on the
place in the title. What no model can learn is which of its choices the grammar takes, and how much that is, is known.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from lab.data.grammar import Grammar, Rule

_PLACES = {
    "mill": ("miller millers", "goat goats", "goose geese", "sack sacks", "mouse mice"),
    "harbour": ("sailor sailors", "gull gulls", "boat boats", "rope ropes", "crab crabs"),
    "market": ("baker bakers", "dog dogs", "basket baskets", "cook cooks", "loaf loaves"),
    "forest": ("fox foxes", "badger badgers", "hunter hunters", "wolf wolves", "tree trees"),
}
"""Who and what is to be met where, in the singular and the plural."""
_ANYWHERE = ("child children", "stone stones", "woman women")
_ADJECTIVES = ("grey", "small", "quiet", "red", "clever")
_ALONE = ("sleeps sleep", "waits wait", "falls fall", "sings sing")
_WITH_OBJECT = ("sees see", "finds find", "watches watch", "follows follow", "fears fear", "likes like")
_DETERMINERS = {"one": ("the", "a", "every", "this"), "many": ("the", "two", "some", "these")}
_NUMBERS = ("one", "many")
_SENTENCES = 6  # in a document, in the mean
_CLAUSE = 0.2  # of the nouns have one; each brings up to one noun with it: so texts come to an end


def _falling(words: Sequence[str]) -> list[Rule]:
    """One of them each, the first as likely as the second and third together, and so on as Zipf's law has it."""
    weights = [1 / (rank + 1) for rank in range(len(words))]
    return [(weight / sum(weights), (word,)) for weight, word in zip(weights, words, strict=True)]


@cache
def grammar() -> Grammar:
    """The grammar of the corpus. Every text comes about in one way only."""
    rules: dict[str, list[Rule]] = {
        "DOCUMENT": [(1 / len(_PLACES), (f"At the {place}\n\n", f"SENTENCES {place}")) for place in _PLACES],
        "ADJECTIVE": _falling([f" {word}" for word in _ADJECTIVES]),
        "ADJECTIVES": [(0.7, ()), (0.3, ("ADJECTIVE",))],
    }
    for column, number in enumerate(_NUMBERS):
        rules[f"ALONE {number}"] = _falling([f" {verb.split()[column]}" for verb in _ALONE])
        rules[f"WITH-OBJECT {number}"] = _falling([f" {verb.split()[column]}" for verb in _WITH_OBJECT])
        rules[f"THE {number}"] = _falling([f" {word}" for word in _DETERMINERS[number]])
        rules[f"The {number}"] = _falling([word.capitalize() for word in _DETERMINERS[number]])
    for place in _PLACES:
        rules |= _of_place(place)
    return Grammar("DOCUMENT", rules)


def _of_place(place: str) -> dict[str, list[Rule]]:
    one, many = (f"{{}} {number} {place}" for number in _NUMBERS)
    rules: dict[str, list[Rule]] = {
        f"SENTENCES {place}": [(1.0, (f"SENTENCE {place}", f"MORE {place}"))],
        f"MORE {place}": [(1 / _SENTENCES, ()), (1 - 1 / _SENTENCES, (" ", f"SENTENCES {place}"))],
        f"SENTENCE {place}": [
            (0.6, (one.format("Subject"), one.format("PREDICATE"), ".")),
            (0.4, (many.format("Subject"), many.format("PREDICATE"), ".")),
        ],
        f"OBJECT {place}": [(0.6, (one.format("NOUN-PHRASE"),)), (0.4, (many.format("NOUN-PHRASE"),))],
    }
    for column, number in enumerate(_NUMBERS):
        here = f"{number} {place}"
        nouns = [f" {noun.split()[column]}" for noun in (*_PLACES[place], *_ANYWHERE)]
        rules |= {
            f"NOUN {here}": _falling(nouns),
            f"NOMINAL {here}": [(1.0, ("ADJECTIVES", f"NOUN {here}", f"CLAUSE {here}"))],
            f"Subject {here}": [(1.0, (f"The {number}", f"NOMINAL {here}"))],
            f"NOUN-PHRASE {here}": [(1.0, (f"THE {number}", f"NOMINAL {here}"))],
            f"PREDICATE {here}": [(0.4, (f"ALONE {number}",)), (0.6, (f"WITH-OBJECT {number}", f"OBJECT {place}"))],
            f"CLAUSE {here}": [
                (1 - _CLAUSE, ()),
                (_CLAUSE / 2, (" that", f"PREDICATE {here}")),
                *(
                    (_CLAUSE / 4, (" that", f"NOUN-PHRASE {other} {place}", f"WITH-OBJECT {other}"))
                    for other in _NUMBERS
                ),
            ],
        }
    return rules


def documents(seed: int, n_documents: int) -> Iterator[str]:
    """The texts of ``corpus.seed``, one at a time; a corpus of more documents begins with those of a smaller one."""
    for number in range(n_documents):
        yield grammar().sample(np.random.default_rng([seed, number]))
