"""A log that is followed while it grows."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.dashboard.store.tail import Tail
from lab.files.run_files import EVENTS_FILE
from lab.runs import events


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=6), st.integers(0, 10))
def test_a_log_is_followed_however_it_grows(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], seed: int
) -> None:
    """Cut anywhere, also within a line; and replaced by a shorter one, as a run that goes on in its place does."""
    folder = tmp_path_factory.mktemp("run")
    log = events.EventLog(folder)
    chance = random.Random(seed)
    for step in range(chance.randint(1, 700)):
        log.metrics(step, {"train_loss": float(step)}) if chance.random() < 0.9 else log.sample(step, "ü")
    log.close()
    whole = (folder / EVENTS_FILE).read_bytes()
    (folder / EVENTS_FILE).write_bytes(b"")
    told: list[dict[str, Any]] = []
    tail, end = Tail(folder), 0
    for cut in [*cuts, len(whole)]:
        with (folder / EVENTS_FILE).open("ab") as file:
            file.write(whole[end : end + cut])
        end += cut
        tail.update()
        while lines := tail.after(told[-1]["seq"] if told else -1, 100):
            told += [json.loads(line.text) for line in lines]
    assert told == [json.loads(line) for line in whole.splitlines()]
    before = list(events.read(folder))
    events.begin_again(folder, before, [e for e in before if e["step"] < 5], 5)
    tail.update()
    (continued,) = [json.loads(line.text) for line in tail.after(told[-1]["seq"], 100)]
    assert (continued["kind"], continued["seq"]) == ("continued", told[-1]["seq"] + 1)
    assert len(tail.points("train_loss")[0]) <= 5
