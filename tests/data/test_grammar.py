"""Grammars against brute force: every text spelled out, every choice multiplied, and the mean of many."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.data.grammar import Grammar, Rule
from lab.data.sentences import grammar

few = settings(max_examples=40, deadline=None)

NESTED = Grammar(
    "S",
    {
        "S": [(0.6, ("a", "T")), (0.4, ("T", "b"))],
        "T": [(0.5, ()), (0.3, ("(", "S", ")")), (0.2, ("c",))],
    },
)


def shortest(rules: dict[str, list[Rule]]) -> dict[str, int]:
    """The least characters that each symbol can be rewritten as."""
    found = dict.fromkeys(rules, 10**6)
    for _ in rules:
        found = {
            s: min(sum(found[p] if p in rules else len(p) for p in parts) for _, parts in choices)
            for s, choices in rules.items()
        }
    return found


def spelled_out(of: Grammar, most: int) -> tuple[list[tuple[str, float]], float]:
    """Every derivation of a text of up to ``most`` characters, with the product of its choices; and the probability of
    all the longer ones together."""
    rules = {symbol: list(choices) for symbol, choices in of.rules.items()}
    least = shortest(rules)
    texts, beyond = [], 0.0
    open_: list[tuple[str, tuple[str, ...], float]] = [("", (of.start,), 1.0)]
    while open_:
        text, parts, p = open_.pop()
        while parts and parts[0] not in rules:
            text, parts = text + parts[0], parts[1:]
        if len(text) + sum(least[part] if part in rules else len(part) for part in parts) > most:
            beyond += p
        elif not parts:
            texts.append((text, p))
        else:
            open_ += [(text, (*chosen, *parts[1:]), p * q) for q, chosen in rules[parts[0]]]
    return texts, beyond


@pytest.mark.parametrize(("of", "most"), [(NESTED, 20), (grammar(), 36)])
def test_the_probabilities_of_all_texts_sum_to_one(of: Grammar, most: int) -> None:
    texts, beyond = spelled_out(of, most)
    assert len(texts) > 100
    assert len({text for text, _ in texts}) == len(texts)  # none of them comes about in two ways
    assert sum(p for _, p in texts) + beyond == pytest.approx(1, abs=1e-12)
    for text, p in texts[:: len(texts) // 100]:
        assert of.information(text) == pytest.approx(-math.log2(p), rel=1e-12)
    for text in ("", "ab", "At the mill\n\nThe miller sleep.", "At the mill\n\nThe mice fall. ", texts[0][0][:-1]):
        assert math.isinf(of.information(text))


def drawn(of: Grammar, part: str, generator: np.random.Generator) -> tuple[str, float]:
    """A text and the bits of its choices: another way of writing it than the grammar's own."""
    if part not in of.rules:
        return part, 0.0
    choices = of.rules[part]
    p, parts = choices[generator.choice(len(choices), p=[q for q, _ in choices])]
    inner = [drawn(of, one, generator) for one in parts]
    return "".join(text for text, _ in inner), sum(bits for _, bits in inner) - math.log2(p)


@few
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_text_tells_what_its_choices_tell(seed: int, nested: bool) -> None:
    of = NESTED if nested else grammar()
    text, bits = drawn(of, of.start, np.random.default_rng(seed))
    assert of.information(text) == pytest.approx(bits, rel=1e-9, abs=1e-12)


def beginnings(of: Grammar, seed: int) -> Iterator[str]:
    text = of.sample(np.random.default_rng(seed))
    for end in {0, 1, len(text) // 3, len(text) // 2, len(text) - 1, len(text)}:
        yield text[:end]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_beginning_is_as_likely_as_all_that_it_can_become(seed: int, nested: bool) -> None:
    of = NESTED if nested else grammar()
    letters = sorted({c for choices in of.rules.values() for _, parts in choices for p in parts for c in p})
    for text in beginnings(of, seed):
        further = sum(2 ** -of.information(text + letter, whole=False) for letter in letters)
        assert 2 ** -of.information(text, whole=False) == pytest.approx(further + 2 ** -of.information(text), rel=1e-9)


@pytest.mark.parametrize("of", [NESTED, grammar()])
def test_many_texts_come_to_the_computed_rate(of: Grammar) -> None:
    """Within four standard errors of bits less their share of the length, which is what the rate is the mean of."""
    generator, source = np.random.default_rng(1), of.source()
    texts = [of.sample(generator) for _ in range(1000)]
    lengths, bits = np.array([len(t) for t in texts]), np.array([of.information(t) for t in texts])
    for figures, mean in (
        (lengths, source.characters),
        (bits, source.bits),
        (bits - lengths * source.bits_per_character, 0),
    ):
        assert abs(figures.mean() - mean) < 4 * figures.std() / math.sqrt(len(texts))
    assert source.bits_per_character == source.bits / source.characters


def test_the_entropy_of_a_few_texts_is_that_of_a_table() -> None:
    of = Grammar("S", {"S": [(0.5, ("T", "!")), (0.5, ("no",))], "T": [(0.25, ("a",)), (0.75, ("bcd",))]})
    table = {"a!": 0.125, "bcd!": 0.375, "no": 0.5}
    source = of.source()
    assert source.bits == pytest.approx(sum(-p * math.log2(p) for p in table.values()))
    assert source.characters == pytest.approx(sum(p * len(text) for text, p in table.items()))


def test_what_is_no_grammar_is_refused() -> None:
    with pytest.raises(ValueError, match="do not sum to 1"):
        Grammar("S", {"S": [(0.5, ("a",))]})
    with pytest.raises(ValueError, match="no mean length"):
        Grammar("S", {"S": [(0.5, ("a", "S", "S")), (0.5, ("b",))]}).source()
