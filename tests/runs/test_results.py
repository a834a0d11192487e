"""What came out of a run, as it is written and read."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from lab.files.run_files import RESULTS_FILE
from lab.runs.results import Results, checked, read_results, write_results

WHOLE = Results(
    status="interrupted",
    reason="told to stop",
    train_loss=5.5,
    train_step=3,
    val_loss=math.inf,
    val_step=2,
    best_val_loss=5.25,
    best_step=1,
    perplexity=math.inf,
    bits_per_byte=2.5,
    unigram_val_loss=6.0,
    unigram_train_loss=6.25,
    floor_loss=0.5,
    floor_bits_per_byte=0.25,
    tokens_seen=768,
    tokens_per_second=1000.0,
    steps=3,
    total_steps=9,
    seconds=1.5,
    parent="/runs/a/checkpoints/last.ckpt",
    model={"emb_dim": 16, "bias": True},
    corpus={"name": "fables", "left_out": {"hidden": 1}},
    parts={"fables": {"passes": 1.5, "bits_per_byte": 2.0}},
    parameters=1234,
    seed=0,
    versions={"python": "3.12.1"},
    git_revision="abc-dirty",
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_results(tmp_path, WHOLE)
    assert read_results(tmp_path) == WHOLE
    assert list(json.loads((tmp_path / RESULTS_FILE).read_text())) == [f.name for f in dataclasses.fields(Results)]


def test_an_older_file_lacks_fields_and_a_later_one_has_more(tmp_path: Path) -> None:
    (tmp_path / RESULTS_FILE).write_text('{"steps": 3, "best_val_loss": 5.25, "of_the_future": [1]}')
    assert read_results(tmp_path) == Results(steps=3, best_val_loss=5.25)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Results)])
@pytest.mark.parametrize("wrong", [[[1]], {"a": [{}] * 2, "b": 1e400}, True, "\ud800" * 200_000, -1])
def test_a_field_that_is_something_else_is_not_known_and_the_others_are(name: str, wrong: Any) -> None:
    found = checked({**dataclasses.asdict(WHOLE), name: wrong})
    missing: Any = {} if name == "versions" else None
    if name not in ("model", "corpus", "parts") or not isinstance(wrong, dict):  # whose own fields are anybody's
        assert found == dataclasses.replace(WHOLE, **{name: missing})


@pytest.mark.parametrize("told", ["", "[" * 100_000, "[1]", "null", '"x"', "{", '{"best_val_loss": null}'])
def test_no_results_are_an_infinite_loss(told: str, tmp_path: Path) -> None:
    assert read_results(tmp_path) == Results(best_val_loss=math.inf)
    (tmp_path / RESULTS_FILE).write_text(told)
    assert read_results(tmp_path) == Results(best_val_loss=math.inf)
