"""What can be done with a run, in each state."""

import itertools
from typing import get_args

import pytest

from lab.dashboard.http_errors import ApiError
from lab.dashboard.trainings.actions import Standing, by_hand, check, possible, why_not
from lab.runs.state import STATES, State

STEERED = {"stop", "save", "evaluate"}
# By hand, state by state: without any checkpoint, and what one adds to it.
WITHOUT = {
    "queued": {"stop"},
    "running": STEERED | {"pause"},
    "paused": STEERED | {"resume"},
    "stopping": set(),
    "stopped": {"again", "delete"},
    "finished": {"again", "delete"},
    "failed": {"again", "delete"},
    "lost": {"again", "delete"},
}
ADDED = {state: {"fork", "resume"} if state in ("stopped", "failed", "lost") else {"fork"} for state in STATES}


@pytest.mark.parametrize("state", STATES)
def test_what_a_state_allows(state: State) -> None:
    assert set(possible(Standing(state, 0, True))) == WITHOUT[state]
    assert set(possible(Standing(state, 2, True))) == WITHOUT[state] | ADDED[state]
    assert "again" not in possible(Standing(state, 2, False))
    typed = set(possible(Standing(state, 2, True, by_hand="parts")))
    assert typed & {"again", "fork"} == set()
    assert ("resume" in typed) == (state == "paused")
    assert ("resume" in possible(Standing(state, 2, True, nameless=True))) == (state == "paused")


def test_who_asks_for_something_else_is_told_why() -> None:
    from lab.dashboard.schemas import Action

    for state, action, kept in itertools.product(STATES, get_args(Action), (0, 1)):
        told = Standing(state, kept, True)
        if action in possible(told):
            check(action, told)
            continue
        with pytest.raises(ApiError) as refused:
            check(action, told)
        assert refused.value.status == 409
        assert refused.value.message == why_not(action, told)


def test_weights_to_begin_with_are_not_needed_to_go_on() -> None:
    told = Standing("stopped", 1, True, by_hand="init_from")
    assert "resume" in possible(told)
    assert "again" not in possible(told)


def test_what_only_a_command_line_gives() -> None:
    assert by_hand({"save": True, "parts": [], "metrics": {}, "corpus": {"source": "path", "name": "text"}}) is None
    assert by_hand({"corpus": {"source": "hf", "name": "tinystories"}, "logger": {"csv": {}}}) is None
    assert by_hand({"corpus": {"source": "hf", "name": "somebody/else"}}) == "corpus"
    assert by_hand({"parts": ["my.py"]}) == "parts"
    assert by_hand({"metrics": {"mine": "my.py:fn"}}) == "metrics"
    assert by_hand({"logger": {"wandb": {"project": "p"}}}) == "logger"
    assert by_hand({"init_from": "gpt2"}) == "init_from"
    assert by_hand({"corpus": "damaged", "logger": 3}) is None
