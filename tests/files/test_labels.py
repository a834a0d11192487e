"""Names from anywhere, as they are shown."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.files.labels import MOST_NAME, label


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.booleans())
def test_nothing_of_a_name_moves_what_is_around_it(text: str, lines: bool) -> None:
    shown = label(text, lines=lines)
    assert len(shown) <= MOST_NAME
    assert shown.encode().decode() == shown
    kinds = {unicodedata.category(one) for one in shown if one not in "\u200c\u200d" and not (lines and one in "\n\t")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert label(shown, lines=lines) == shown


def test_what_can_be_read_stays() -> None:
    assert (
        label("  Füchse, \u05e9\u05dc\u05d5\u05dd & <b>\U0001f98a</b>\n")
        == "Füchse, \u05e9\u05dc\u05d5\u05dd & <b>\U0001f98a</b>"
    )
    assert label("a\nb\x1b[2J") == "a b [2J"
    assert label("a\nb", lines=True) == "a\nb"
    assert label("cod\u202ecexe.\u2066x") == "codcexe.x"
    assert label("\U0001f469\u200d\U0001f680") == "\U0001f469\u200d\U0001f680"
    assert label("x" * 10_000_000) == "x" * MOST_NAME
