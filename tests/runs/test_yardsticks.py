"""What a loss is held against, written and read again, whoever has had the file in between."""

import json
from pathlib import Path

import pytest

from lab.runs.yardsticks import Yardsticks, read_yardsticks, write_yardsticks

FOUND = Yardsticks(guessing_loss=10.8, unigram_val_loss=6.2, unigram_train_loss=6.1, training_tokens=48_394)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_yardsticks(tmp_path, FOUND)
    assert read_yardsticks(tmp_path, {}) == FOUND
    assert read_yardsticks(tmp_path, {"unigram_val_loss": 1.0, "floor_loss": 2.0}) == Yardsticks(
        **{**FOUND.__dict__, "floor_loss": 2.0}
    )


def test_an_older_run_is_known_by_its_results(tmp_path: Path) -> None:
    assert read_yardsticks(tmp_path, {"unigram_val_loss": 6.5, "seed": 3}) == Yardsticks(unigram_val_loss=6.5)


@pytest.mark.parametrize("wrong", ["6.2", "NaN", -1, True, [6.2], None])
def test_a_level_that_is_none_is_not_known(wrong: object, tmp_path: Path) -> None:
    (tmp_path / "yardsticks.json").write_text(json.dumps({"guessing_loss": 10.8, "unigram_val_loss": wrong}))
    assert read_yardsticks(tmp_path, {}) == Yardsticks(guessing_loss=10.8)
    (tmp_path / "yardsticks.json").write_text("[" * 9999)
    assert read_yardsticks(tmp_path, {}) == Yardsticks()
