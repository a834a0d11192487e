"""A run folder as a comparison reads it: torn, old, hostile, or in good order."""

import json
import os
from pathlib import Path

import pytest
from support.run_folders import write_run

from lab.comparison.run_curve import COSTS, read_run
from lab.runs.events import EventLog


def test_a_run_is_read_point_by_point(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", [3.0, 2.0, 2.5], seed=7))
    assert (run.seed, run.state, run.options["optimizer.lr"]) == (7, "finished", 1e-3)
    assert [(e.step, e.val_loss, e.tokens, e.flops) for e in run.evaluations] == [
        (0, 3.0, 0, 0),
        (10, 2.0, 1000, 1e4),
        (20, 2.5, 2000, 2e4),
    ]
    assert run.best.step == 10
    assert run.evaluations[1].bits_per_byte == pytest.approx(2 / 0.693147 / 4, rel=1e-5)


def test_between_evaluations_the_line_is_straight(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", [3.0, 2.0, 1.0], seconds=[0.0, 10.0, 40.0]))
    for seconds, loss in ((0, 3.0), (5, 2.5), (10, 2.0), (25, 1.5), (40, 1.0)):
        assert run.at("val_loss", "seconds", seconds) == pytest.approx(loss)
    assert run.at("val_loss", "tokens", 500) == pytest.approx(2.5)


def test_points_that_a_continued_run_measures_again_are_void(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [3.0, 2.0, 9.0, 9.0])
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps({"seq": 90, "kind": "continued", "step": 10}) + "\n")
        file.write(json.dumps({"seq": 91, "kind": "metrics", "step": 20, "val_loss": 1.0}) + "\n")
    assert [(e.step, e.val_loss) for e in read_run(folder).evaluations] == [(0, 3.0), (10, 2.0), (20, 1.0)]


def test_a_run_of_an_older_version_knows_its_tokens_and_not_its_time(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    log = EventLog(folder)
    log.metrics(0, {"val_loss": 3.0})
    log.metrics(4, {"train_loss": 2.0, "tokens_seen": 400.0})
    log.metrics(8, {"train_loss": 2.0, "tokens_seen": 1200.0})
    log.metrics(6, {"val_loss": 2.0})
    log.metrics(8, {"val_loss": 1.5})
    log.close()
    run = read_run(folder)
    assert [e.tokens for e in run.evaluations] == [0.0, 800.0, 1200.0]
    assert [run.knows(cost) for cost in COSTS] == [True, False, False, False]
    assert not run.knows("bits_per_byte")


def test_costs_that_fall_are_no_costs(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", [3.0, 2.0, 1.0], tokens=[0.0, 50.0, 40.0], seconds=[-1.0, 0.0, 1.0]))
    assert [run.knows(cost) for cost in COSTS] == [False, True, False, True]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2]", b"{", b"a: &a [*a]", b"seed: 1\x00", b"[" * 5000])
def test_damaged_files_say_nothing_and_do_no_harm(tmp_path: Path, content: bytes) -> None:
    folder = write_run(tmp_path / "run", [3.0, 2.0])
    (folder / "config.yaml").write_bytes(content)
    (folder / "results.json").write_bytes(content)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(content + b"\n" + b'{"seq": 99, "kind": "metrics", "step": 20, "val_loss": "NaN"}\n')
        file.write(b'{"seq": 100, "kind": "metrics", "step": 30, "val_loss": 1.0')  # torn
    run = read_run(folder)
    assert run.options == {}
    assert run.seed is None
    assert [e.val_loss for e in run.evaluations] == [3.0, 2.0]


def test_neither_links_nor_pipes_are_read(tmp_path: Path) -> None:
    outside = write_run(tmp_path / "outside", [3.0, 2.0])
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("events.jsonl", "results.json"):
        (folder / name).symlink_to(outside / name)
    os.mkfifo(folder / "config.yaml")
    run = read_run(folder)
    assert (run.evaluations, run.options, run.results.status) == ((), {}, None)


def test_a_loss_beyond_all_measure_is_none(tmp_path: Path) -> None:
    assert [e.val_loss for e in read_run(write_run(tmp_path / "run", [3.0, 1e300, -1.0, 2.0])).evaluations] == [
        3.0,
        2.0,
    ]
