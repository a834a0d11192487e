"""The log of a run: every event once, in order, whatever else stands in the file."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.files.run_files import EVENTS_FILE
from lab.runs import events

FIELDS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.lists(st.integers(0, 9), max_size=3),
    max_size=4,
)


def same(one: Any, other: Any) -> bool:
    """Equal, where NaN is NaN."""
    return repr(one) == repr(other)


@settings(max_examples=40, deadline=None)
@given(st.lists(FIELDS, max_size=5))
def test_what_is_appended_is_read(tmp_path_factory: pytest.TempPathFactory, told: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("run")
    log = events.EventLog(folder)
    for step, fields in enumerate(told):
        log.metrics(step, fields)
    log.close()
    found = list(events.read(folder))
    assert [event["seq"] for event in found] == list(range(len(told)))
    assert [event["step"] for event in found] == list(range(len(told)))
    assert all(same({k: event[k] for k in fields}, fields) for event, fields in zip(found, told, strict=True))


def test_a_log_goes_on_behind_the_largest_number(tmp_path: Path) -> None:
    log = events.EventLog(tmp_path)
    log.metrics(0, {})
    log.sample(1, "x")
    log.close()
    log = events.EventLog(tmp_path)
    log.removed(2, "y")
    log.close()
    assert [(event["seq"], event["kind"]) for event in events.read(tmp_path)] == [
        (0, "metrics"),
        (1, "sample"),
        (2, "removed"),
    ]


def test_lines_that_are_no_events_are_left_out(tmp_path: Path) -> None:
    good = {"seq": 4, "kind": "metrics", "step": 2, "loss": "Infinity"}
    odd = ["", "{", "[]", "7", '{"seq": "x", "kind": "a", "step": 1}', '{"seq": 1, "kind": "a"}', "\0" * 9]
    odd += ['{"seq": 1, "kind": "sample", "step": 1}', '{"seq": -1, "kind": "a", "step": 1}', '{"seq": true}']
    lines = "\n".join([*odd, json.dumps(good), *odd, json.dumps(good | {"seq": 5})])  # the last is not whole yet
    (tmp_path / EVENTS_FILE).write_text(lines)
    assert list(events.read(tmp_path)) == [good | {"loss": math.inf}]
    assert list(events.read(tmp_path / "nowhere")) == []


def test_a_text_may_say_nan_and_half_characters_become_signs() -> None:
    assert events.parse(b'{"seq": 0, "kind": "sample", "step": 0, "text": "NaN"}') is not None
    found = events.parse(b'{"seq": 0, "kind": "sample", "step": 0, "text": "\\ud83e"}')
    assert found is not None
    assert found["text"] == "\ufffd"
    assert events.parse(b'{"seq": 0, "kind": "a", "step": 0}\n') is not None


def test_a_text_that_is_the_word_nan_stays_a_text(tmp_path: Path) -> None:
    log = events.EventLog(tmp_path)
    log.sample(0, "Infinity")
    log.close()
    assert [event["text"] for event in events.read(tmp_path)] == ["Infinity"]


def test_figures_are_the_numbers_that_are_no_own_fields() -> None:
    event: Any = {"seq": 1, "time": 2.0, "kind": "metrics", "step": 3, "loss": 1.5, "n": 7, "odd": "NaN", "word": "x"}
    found = events.figures(event | {"yes": True, "huge": 2**60, "list": [1.0]})
    assert found.keys() == {"loss", "n", "odd"}
    assert (found["loss"], found["n"]) == (1.5, 7.0)
    assert math.isnan(found["odd"])
    assert type(found["n"]) is float


def test_a_run_that_begins_again_says_so_under_a_number_of_its_own(tmp_path: Path) -> None:
    log = events.EventLog(tmp_path)
    for step in range(5):
        log.metrics(step, {})
    log.close()
    told = list(events.read(tmp_path))
    events.begin_again(tmp_path, told, told[:2], 1)
    found = [(event["seq"], event["kind"], event["step"]) for event in events.read(tmp_path)]
    assert found == [(0, "metrics", 0), (1, "metrics", 1), (5, "continued", 1)]
    events.begin_again(tmp_path, [], [], 0)
    assert [event["seq"] for event in events.read(tmp_path)] == [0]
