"""The verdict as the page asks for it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.run_folders import LN2, write_run
from support.server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("compared")
    for place, (lr, seed, final) in enumerate([(0.1, 1, 2.0), (0.2, 1, 1.0), (0.1, 2, 2.2), (0.2, 2, 1.21)]):
        write_run(root / "multirun" / "day" / "sweep" / str(place), [3.0, final], seed=seed, options={"x": {"lr": lr}})
    write_run(root / "outputs" / "day" / "empty", [])
    with serving(root) as running:
        yield running


def ids(client: httpx.Client) -> dict[str, str]:
    return {Path(run["path"]).name: run["id"] for run in client.get("/api/runs").json()}


def test_runs_are_compared_in_sides(client: httpx.Client) -> None:
    known = ids(client)
    chosen = ",".join(known[name] for name in ("0", "1", "2", "3"))
    told = client.get("/api/compare", params={"runs": chosen}).json()
    assert (told["baseline"], told["seeds"]) == ("A (x.lr=0.1)", [1, 2])
    (contrast,) = told["contrasts"]
    assert (contrast["side"], contrast["verdict"]) == ("B (x.lr=0.2)", "better")
    assert contrast["sentence"].startswith("B (x.lr=0.2) is better than A at equal tokens (1,000)")
    tokens = next(row for row in contrast["measured"] if row["at"] == "tokens")
    assert tokens["difference"] == pytest.approx(-0.995 / LN2 / 4)
    assert (tokens["where"], tokens["spent"]) == ("at equal tokens", "1,000")


def test_every_run_has_its_side(client: httpx.Client) -> None:
    """Also one that has evaluated nothing, and runs of which only one side can be made: curves are drawn by side."""
    known = ids(client)

    def told(*names: str) -> list[tuple[str, list[str]]]:
        answer = client.get("/api/compare", params={"runs": ",".join(known[name] for name in names)})
        return [(side["name"], side["runs"]) for side in answer.json()["sides"]]

    assert told("0", "1", "empty", "2") == [
        ("A", [known["0"], known["2"]]),
        ("B", [known["1"]]),
        ("", [known["empty"]]),
    ]
    assert told("2", "0") == [("A", [known["2"]]), ("B", [known["0"]])]  # as lab.compare has it: two runs, two sides
    assert told("empty") == [("", [known["empty"]])]


def test_the_verdict_is_about_what_is_held_equal(client: httpx.Client) -> None:
    known = ids(client)
    chosen = ",".join(known[name] for name in ("0", "1", "2", "3"))
    answer = client.get("/api/compare", params={"runs": chosen, "by": "seconds"}).json()
    (contrast,) = answer["contrasts"]
    assert (contrast["by"], contrast["name"]) == ("seconds", "B")
    assert "at equal time (10.0 s)" in contrast["sentence"]
    assert client.get("/api/compare", params={"runs": chosen, "by": "weight"}).status_code == 422


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["0"], "this is one run: a comparison needs two sides"),
        (["empty"], "none of these runs has evaluated its model yet"),
        (["0", "empty"], "this is one run"),
        ([], "none of these runs"),
    ],
)
def test_runs_that_no_sides_can_be_made_of_are_an_answer_too(
    client: httpx.Client, names: list[str], sentence: str
) -> None:
    """The page asks while runs start: an error here would stand on its console though nobody has done wrong."""
    known = ids(client)
    answer = client.get("/api/compare", params={"runs": ",".join(known[name] for name in names)})
    assert answer.status_code == 200
    assert answer.json()["contrasts"] == []
    assert sentence in answer.json()["why_none"]


def test_ids_name_no_folders(client: httpx.Client) -> None:
    assert client.get("/api/compare", params={"runs": "../../etc,0"}).status_code == 404
    assert client.get("/api/compare", params={"runs": ",".join(map(str, range(65)))}).status_code == 422
