"""The real command: lab.compare."""

import json
from pathlib import Path

import pytest
from support.commands import Finished, inside, lab, tiny
from support.run_folders import write_run

from lab import compare


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("swept")
    return tiny(
        folder, "trainer.max_steps=4", "-m", "optimizer.lr=1e-3,2e-2", "seed=1,2", "name=Mill: a", "tags=[night]"
    )


def here(folder: Path, *words: str) -> tuple[int, str, str]:
    return inside(compare.main, folder, *words)


def test_a_sweep_of_real_runs_gets_a_verdict(swept: Finished) -> None:
    (sweep,) = {run.parent for run in swept.runs}
    code, out, err = here(sweep, ".", "format=json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [side["options"] for side in told["sides"]] == [{"optimizer.lr": 0.001}, {"optimizer.lr": 0.02}]
    assert [run["name"] for side in told["sides"] for run in side["runs"]] == [
        f"Mill: a: lr={lr}, seed={seed}" for lr in (0.001, 0.02) for seed in (1, 2)
    ]
    (contrast,) = told["contrasts"]
    assert contrast["verdict"] == "better"
    places = {measured["at"]: measured for measured in contrast["measured"]}
    assert places["tokens"]["budget"] == 4 * 4 * 16
    for side, name in zip(told["sides"], ("baseline", "side"), strict=True):
        finals = [json.loads((Path(run["folder"]) / "results.json").read_text()) for run in side["runs"]]
        assert places["final"][name] == pytest.approx([final["bits_per_byte"] for final in finals], rel=1e-6)
    # A weight of a matrix takes part in six operations a token; the table of words is the head, too, or only looked up.
    assert places["flops"]["budget"] > 6 * 256 * 32 * 50_257 * 0.9
    assert 0 < places["seconds"]["budget"] < 60
    assert places["processor_seconds"]["budget"] > 0


def test_files_are_written_by_their_ending_and_only_our_own_replaced(tmp_path: Path) -> None:
    write_run(tmp_path / "a", [3.0, 2.0])
    write_run(tmp_path / "b", [3.0, 1.0], options={"optimizer": {"lr": 1.0}})
    names = ("v.json", "v.csv", "v.txt", "v.png")
    code, out, _ = here(tmp_path, "a", "b", *(f"to={name}" for name in names))
    assert code == 0
    assert (tmp_path / "v.txt").read_text() == out
    assert all((tmp_path / name).stat().st_size for name in names)
    assert here(tmp_path, "a", "b", "to=v.json")[0] == 0
    code, _, err = here(tmp_path, "a", "b", "to=v.csv")
    assert code == 1
    assert "v.csv is there already and left as it is" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "what is to be compared?"),
        (["a", "nope"], "there is no run in nope"),
        (["a", "fromat=json"], "there is no option fromat; did you mean format=?"),
        (["a", "b", "format=xml"], "choose one of table, json, csv"),
        (["a", "b", "to=x"], "no ending that says what to write"),
        (["a", "b", "by=luck"], "choose one of tokens"),
        (["a"], "this is one run"),
    ],
)
def test_mistakes_are_told_in_one_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    write_run(tmp_path / "a", [3.0])
    write_run(tmp_path / "b", [3.0])
    code, out, err = here(tmp_path, *words)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert sentence in err


def test_the_help_explains_the_rule(tmp_path: Path) -> None:
    done = lab(tmp_path, "compare", "--help")
    assert done.code == 0
    assert "straight line between the evaluations" in done.out
    assert "What is held equal for the verdict" in done.out
