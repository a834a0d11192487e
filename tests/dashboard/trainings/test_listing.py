"""Paging, sorting and asking for runs, against the same on a plain list."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rows import row

from lab.dashboard.trainings.columns import Packer, Row
from lab.dashboard.trainings.listing import STATES, Question, answer, meanings, parse

LRS = (1e-4, 1e-3, 3e-3, None)
NAMES = ("fox", "The <b>mill</b>", "über\u202e", "12")


def some_rows(seed: int, count: int) -> list[Row]:
    draw, packer = random.Random(seed), Packer()
    found = []
    for number in range(count):
        config: dict[str, Any] = {"seed": draw.randrange(3), "model": {"n_layers": draw.choice([2, 4])}}
        if (lr := draw.choice(LRS)) is not None:
            config["optimizer"] = {"lr": lr, "_target_": f"torch.optim.{draw.choice(['AdamW', 'SGD'])}"}
        fields: dict[str, Any] = {
            "name": draw.choice(NAMES),
            "state": draw.choice(["running", "finished", "stopped", "failed", "lost"]),
            "created": float(draw.randrange(5)),
            "tags": draw.choice([[], ["night"], ["night", "lr"]]),
            "best_val_loss": draw.choice([None, "NaN", 1.5, 2.5, "Infinity"]),
        }
        found.append(row(number, config, packer, **fields))
    return found


def plain_cell(one: Row, name: str) -> Any:
    """Looked up another way: in the summary as JSON has it, or among the options one by one."""
    told = one.summary.model_dump()
    value = told[name] if name in told else dict(one.options.items()).get(name)
    return None if value in ("NaN", "Infinity", "-Infinity") else value


def names_of(rows: list[Row]) -> set[str]:
    return {name for one in rows for name, _ in one.options.items()}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 40),
    st.sampled_from(["created", "name", "best_val_loss", "optimizer.lr", "lr", "seed", "optimizer", "state"]),
    st.booleans(),
    st.sampled_from(
        ["", "fox", "NIGHT fox", "lr>=1e-3", "optimizer.lr=0.001,0.0001", "n_layers!=2 night", "lr<3e-3 seed=1"]
    ),
    st.sampled_from(["all", *STATES]),
    st.integers(0, 9),
    st.integers(1, 9),
)
def test_a_page_is_what_a_plain_list_gives(
    seed: int, count: int, sort: str, down: bool, text: str, state: Any, offset: int, limit: int
) -> None:
    rows = some_rows(seed, count)
    tests = {
        "": lambda r: True,
        "fox": lambda r: "fox" in r.summary.name,
        "NIGHT fox": lambda r: "night" in r.summary.tags and "fox" in r.summary.name,
        "lr>=1e-3": lambda r: (r.options.get("optimizer.lr") or 0) >= 1e-3,
        "optimizer.lr=0.001,0.0001": lambda r: r.options.get("optimizer.lr") in (1e-3, 1e-4),
        "n_layers!=2 night": lambda r: r.options.get("model.n_layers") == 4 and "night" in r.summary.tags,
        "lr<3e-3 seed=1": lambda r: r.options.get("optimizer.lr") in (1e-3, 1e-4) and r.options.get("seed") == 1,
    }
    known = names_of(rows)
    asks = any(sign in text for sign in "<>=")
    kept = [r for r in rows if tests[text](r) and (state == "all" or r.summary.state in STATES[state])]
    kept.sort(key=lambda r: (-r.summary.created, r.summary.id))
    full = {"lr": "optimizer.lr"}.get(sort, sort)
    have = [r for r in kept if plain_cell(r, full) is not None]
    have.sort(key=lambda r: v.lower() if isinstance(v := plain_cell(r, full), str) else v, reverse=down)
    expected = have + [r for r in kept if plain_cell(r, full) is None]
    found = answer(rows, known, Question(text, state, None, sort, down))
    if asks and found.unknown:  # no run has such an option at all
        assert not known & {"optimizer.lr", "model.n_layers"} or "optimizer.lr" not in known
        return
    page = [r.summary.id for r in found.rows[offset : offset + limit]]
    assert page == [r.summary.id for r in expected][offset : offset + limit]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fox lr > 1e-3", (["fox"], [("lr", ">", ("1e-3",))])),
        ("a=1,2 b!=x,y", ([], [("a", "=", ("1", "2")), ("b", "!=", ("x", "y"))])),
        ("=3 lr>", (["=3", "lr>"], [])),
        ("<b>x</b>", (["<b>x</b>"], [])),
    ],
)
def test_what_is_typed_into_the_box(text: str, expected: Any) -> None:
    words, conditions = parse(text)
    assert (words, [(c.name, c.sign, c.values) for c in conditions]) == expected


def test_values_are_compared_as_what_they_are() -> None:
    rows = [row(n, {"x": value}) for n, value in enumerate([1e-3, "0.001", True, None, "Muon", math.pi, [1, 2]])]

    def ids(text: str) -> str:
        return "".join(sorted(r.summary.id for r in answer(rows, {"x"}, Question(text)).rows))

    assert ids("x=1e-3") == "01"
    assert ids("x=true") == "2"
    assert ids("x=NULL") == "3"
    assert ids("x=muon") == "4"
    assert ids("x>3") == "5"
    assert ids("x>a") == ""
    assert ids("x!=1e-3,null") == "2456"
    assert answer(rows, {"x"}, Question("y=1 x=1")).unknown == ["y"]


def test_the_end_of_a_name_will_do_where_only_one_has_it() -> None:
    meant = meanings(["optimizer.lr", "data.dim", "model.dim", "seed", "corpus.seed", "corpus.name"])
    assert (meant["lr"], meant["model.dim"], meant["seed"], meant["name"]) == (
        "optimizer.lr",
        "model.dim",
        "seed",
        "name",
    )
    assert "dim" not in meant
