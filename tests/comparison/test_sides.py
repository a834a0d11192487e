"""Who stands on which side."""

from pathlib import Path
from typing import Any

import pytest
from support.run_folders import write_run

from lab.comparison import sides
from lab.errors import LabError


def made(folder: Path, *words: str) -> list[sides.Side]:
    return sides.make_sides(sides.find(words, folder))


def sweep(folder: Path, name: str = "sweep", **options: Any) -> None:
    for place, (lr, seed) in enumerate([(0.1, 1), (0.2, 1), (0.1, 2), (0.2, 2)]):
        write_run(folder / name / str(place), [3.0, 2.0], seed=seed, options={"optimizer": {"lr": lr}, **options})


def test_runs_that_differ_in_the_seed_alone_are_one_side(tmp_path: Path) -> None:
    sweep(tmp_path)
    a, b = made(tmp_path, "sweep")
    assert (a.name, a.options, a.seeds) == ("A", {"optimizer.lr": 0.1}, [1, 2])
    assert b.label == "B (optimizer.lr=0.2)"
    assert [run.folder.name for run in b.runs] == ["1", "3"]


def test_the_first_that_is_named_is_the_baseline(tmp_path: Path) -> None:
    sweep(tmp_path)
    assert made(tmp_path, "sweep/[13]", "sweep/0", "sweep/2")[0].options == {"optimizer.lr": 0.2}


def test_what_is_kept_or_shown_of_a_run_makes_no_side(tmp_path: Path) -> None:
    write_run(tmp_path / "a", [3.0], seed=1, options={"save": True, "logger": {"csv": {"name": "x"}}, "eval_every": 5})
    write_run(tmp_path / "b", [3.0], seed=2)
    with pytest.raises(LabError, match="these 2 runs differ in nothing but the seed"):
        made(tmp_path, ".")
    # Each word is a side only where exactly two were given: the code may have changed between them.
    assert [side.seeds for side in made(tmp_path, "a", "b")] == [[1], [2]]


def test_an_option_that_one_side_has_not_is_a_difference(tmp_path: Path) -> None:
    write_run(tmp_path / "a", [3.0])
    write_run(tmp_path / "b", [3.0], options={"model": {"norm": "rmsnorm"}})
    assert [side.options for side in made(tmp_path, "a", "b")] == [
        {"model.norm": sides.ABSENT},
        {"model.norm": "rmsnorm"},
    ]


def test_a_run_named_twice_is_one_run(tmp_path: Path) -> None:
    sweep(tmp_path)
    assert [len(side.runs) for side in made(tmp_path, "sweep", "sweep/0", "sweep/*")] == [2, 2]


def test_runs_count_as_people_count(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        write_run(tmp_path / "sweep" / str(number), [3.0], seed=number)
    write_run(tmp_path / "sweep" / "other", [3.0], options={"optimizer": {"lr": 1.0}})
    assert {tuple(side.seeds) for side in made(tmp_path, "sweep")} == {(1, 9, 10), (1,)}


def test_a_folder_may_have_signs_in_its_name(tmp_path: Path) -> None:
    write_run(tmp_path / "lr=[1]*" / "0", [3.0])
    write_run(tmp_path / "lr=[1]*" / "1", [3.0], options={"optimizer": {"lr": 1.0}})
    assert len(made(tmp_path, "lr=[1]*")) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing"], "there is no run in nothing"),
        (["sweep/*/x"], "there is no run in"),
        (["sweep/0"], "this is one run: a comparison needs two sides"),
        (["empty"], "none of these runs has evaluated its model yet"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    sweep(tmp_path)
    write_run(tmp_path / "empty", [])
    with pytest.raises(LabError, match=sentence.replace("*", r"\*")):
        made(tmp_path, *words)
