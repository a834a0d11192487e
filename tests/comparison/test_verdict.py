"""The verdict: right figures, in one plain sentence."""

from pathlib import Path
from typing import Any

import pytest
from support.run_folders import LN2, write_run

from lab.comparison import sides, verdict


def contrast(folder: Path, by: verdict.At = "tokens") -> verdict.Contrast:
    (found,) = verdict.contrasts(sides.make_sides(sides.find(["a", "b"], folder)), by)
    return found


def write(folder: Path, side: str, finals: dict[int, float], lr: float, **more: Any) -> None:
    for seed, final in finals.items():
        options = {"optimizer": {"lr": lr}, **more.get("options", {})}
        write_run(
            folder / side / str(seed),
            [4.0, 3.0, final],
            seed=seed,
            **{k: v for k, v in more.items() if k != "options"},
            options=options,
        )


def test_better_by_pairs(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0, 2: 2.2, 3: 2.4}, 0.1)
    write(tmp_path, "b", {1: 1.9, 2: 2.11, 3: 2.29}, 0.2)
    found = contrast(tmp_path)
    assert (found.verdict, found.figure, found.by) == ("better", "bits_per_byte", "tokens")
    assert found.sentence.startswith(
        "B (optimizer.lr=0.2) is better than A at equal tokens (2,000): 0.0361 bits per by"
    )
    assert "Student's t, paired over 3 seeds" in found.sentence
    told = next(m for m in found.measured if m.at == "tokens")
    assert told.difference.mean == pytest.approx(-0.1 / LN2 / 4)
    assert not found.notes


def test_worse_at_equal_time_is_said_beside_better_at_equal_tokens(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0, 2: 2.2, 3: 2.4}, 0.1, seconds=[0.0, 10.0, 20.0])
    write(tmp_path, "b", {1: 1.9, 2: 2.11, 3: 2.29}, 0.2, seconds=[0.0, 20.0, 40.0])
    found = contrast(tmp_path)
    assert found.verdict == "better"
    assert found.sentence.endswith("But it is worse at equal time.")
    told = next(m for m in found.measured if m.at == "seconds")
    assert told.budget == 20
    assert told.side == pytest.approx([3 / LN2 / 4] * 3)  # half of its steps
    assert contrast(tmp_path, "seconds").sentence.startswith("B (optimizer.lr=0.2) is worse than A at equal time (20.0")


def test_not_decided_says_how_many_more_seeds(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0, 2: 2.2, 3: 2.4}, 0.1)
    write(tmp_path, "b", {1: 1.9, 2: 2.3, 3: 2.1}, 0.2)
    found = contrast(tmp_path)
    assert found.verdict == "not decided"
    # Differences -0.1, 0.1, -0.3: mean -0.1, deviation 0.2, for which 34 pairs are needed.
    assert found.sentence.endswith("31 more seeds a side would decide it with a probability of 80%.")


def test_one_seed_a_side_is_no_verdict(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0}, 0.1)
    write(tmp_path, "b", {1: 1.0}, 0.2)
    assert "with one seed a side nobody can tell it from luck" in contrast(tmp_path).sentence


def test_the_best_and_the_last_evaluation_differ(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0, 2: 2.0}, 0.1)
    write(tmp_path, "b", {1: 5.0, 2: 5.0}, 0.2)
    found = {m.at: m for m in contrast(tmp_path).measured}
    assert found["best"].side == pytest.approx([3 / LN2 / 4] * 2)
    assert found["final"].side == pytest.approx([5 / LN2 / 4] * 2)
    assert (found["best"].outcome, found["final"].outcome) == ("worse", "worse")


def test_different_texts_are_not_compared(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0, 2: 2.0}, 0.1)
    write(tmp_path, "b", {1: 1.0, 2: 1.0}, 0.2, corpus={"name": "verdict", "fingerprint": "g"})
    found = contrast(tmp_path)
    assert found.verdict == "not decided"
    assert found.sentence == "Not decided: A and B were measured on different texts (fables, verdict)."


def test_other_tokenizers_are_compared_by_the_bytes_of_one_text(tmp_path: Path) -> None:
    same = {"name": "fables", "bytes": 9, "documents": 1}
    write(tmp_path, "a", {1: 2.0, 2: 2.1}, 0.1, corpus={**same, "fingerprint": "f"})
    options = {"tokenizer": {"name": "bytes"}}
    write(tmp_path, "b", {1: 1.0, 2: 1.1}, 0.1, corpus={**same, "fingerprint": "g"}, options=options)
    assert contrast(tmp_path).verdict == "better"


def test_unfinished_runs_are_noted(tmp_path: Path) -> None:
    write(tmp_path, "a", {1: 2.0, 2: 2.1}, 0.1, status="interrupted")
    write(tmp_path, "b", {1: 1.0, 2: 1.1}, 0.2)
    assert contrast(tmp_path).notes == ("2 of the 2 runs of A have not finished",)
