"""The same comparison for people and for programs."""

import csv
import io
import json
from pathlib import Path

import pytest
from support.run_folders import LN2, write_run

from lab.comparison import report, sides, verdict
from lab.files import strict_json


def compared(folder: Path) -> tuple[list[sides.Side], list[verdict.Contrast]]:
    for place, (lr, seed, final) in enumerate([(0.1, 1, 2.0), (0.2, 1, 1.0), (0.1, 2, 2.2), (0.2, 2, 1.1)]):
        write_run(folder / str(place), [3.0, final], seed=seed, options={"optimizer": {"lr": lr}, "x": f"=v{lr}"})
    made = sides.make_sides(sides.find(["."], folder))
    return made, verdict.contrasts(made)


def test_json_has_every_run_and_curve(tmp_path: Path) -> None:
    told = json.loads(strict_json.dumps(report.as_json(*compared(tmp_path))))
    assert [len(side["runs"]) for side in told["sides"]] == [2, 2]
    assert [e["val_loss"] for e in told["sides"][1]["runs"][1]["evaluations"]] == [3.0, 1.1]
    (contrast,) = told["contrasts"]
    assert [m["at"] for m in contrast["measured"]] == list(verdict.PLACES)
    assert contrast["measured"][0]["difference"] == pytest.approx(-1.05 / LN2 / 4)


def test_csv_is_a_line_for_each_place_and_no_formula(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report.as_csv(*compared(tmp_path)))))
    assert [row["at"] for row in rows] == list(verdict.PLACES)
    assert float(rows[0]["side_mean"]) == pytest.approx(1.05 / LN2 / 4)
    assert rows[0]["budget"] == ""
    assert rows[0]["options"].startswith("optimizer.lr=0.2")


def test_the_table_ends_in_the_verdict(tmp_path: Path) -> None:
    lines = report.as_text(*compared(tmp_path)).splitlines()
    assert lines[0] == "comparison"
    assert lines[-1].startswith("  B (optimizer.lr=0.2")
    assert "2 runs, seeds 1, 2" in lines[1]
    (row,) = [line for line in lines if line.startswith("  at equal tokens")]
    assert row.split()[3:4] == ["1,000"]


def test_names_from_anywhere_move_no_cursor(tmp_path: Path) -> None:
    write_run(tmp_path / "a", [3.0], options={"x\x1b[2J": "y\x1b]0;z\x07"})
    write_run(tmp_path / "b\x1b[1A", [3.0])
    made = sides.make_sides(sides.find(["."], tmp_path))
    assert not [c for c in report.as_text(made, verdict.contrasts(made)) if not c.isprintable() and c != "\n"]
