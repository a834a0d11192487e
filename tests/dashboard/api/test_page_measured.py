"""What the page measures of a run and of its weights: histograms, the profile of a step, the map of embeddings."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.page import NEEDS_PAGE, visit
from support.server import Server, folder_of, in_state, serving, train

pytestmark = NEEDS_PAGE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


@pytest.fixture(scope="module")
def measured(server: Server) -> str:
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 6, "eval_every": 2, "save": True})
        in_state(client, run_id, "finished")
    return run_id


def rows_of(page: Any, name: str) -> list[list[str]]:
    figure = page.get_by_role("figure", name=name)
    figure.get_by_role("button", name="View as table").click()
    table = figure.locator("table")
    table.wait_for()
    return [[cell.inner_text() for cell in row.locator("td, th").all()] for row in table.locator("tr").all()]


def test_histograms_through_the_run(server: Server, measured: str, open_page: Callable[..., Any]) -> None:
    with server.client() as client:
        told = client.get(f"/api/runs/{measured}/distributions").json()
        kept = json.loads((folder_of(server, client, measured) / "distributions.json").read_text())["moments"]
    assert [moment["step"] for moment in told["moments"]] == [0, 2, 4, 6]
    part = "blocks.1.feed_forward"
    counts = kept[2]["parts"][part]["gradients"]["counts"]
    assert told["moments"][2]["parts"][part]["gradients"]["counts"] == counts

    page = open_page(server)
    visit(page, server, f"/runs/{measured}?tab=weights&part={part}")
    head, *rows = rows_of(page, "Weights")
    assert head == ["from", "to", "step 0", "step 2", "step 4", "step 6"]
    for column in range(2, 6):
        assert sum(float(row[column]) for row in rows) == pytest.approx(1, abs=1e-3)
    head, *rows = rows_of(page, "Gradients")
    assert head == ["from", "to", "step 2", "step 4", "step 6"]  # before the first step there are none
    middle = [float(row[3]) for row in rows]
    expected = [count / sum(counts) for count in counts]
    for lowest in range(len(counts) - len(middle) + 1):
        if middle == pytest.approx(expected[lowest : lowest + len(middle)], abs=1e-3):
            break
    else:
        pytest.fail("the picture has other shares than the file")


def test_where_the_time_goes(server: Server, measured: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{measured}?tab=speed")
    page.get_by_role("button", name="Measure where the time goes").click()
    page.get_by_role("button", name="Measure again").wait_for()
    with server.client() as client:
        found = client.get(f"/api/runs/{measured}/profile").json()
        kept = json.loads((folder_of(server, client, measured) / "profile.json").read_text())
    assert found["parts"] == [{key: one[key] for key in found["parts"][0]} for one in kept["parts"]]
    assert sum(one["share"] for one in found["parts"]) == pytest.approx(1, abs=0.02)
    assert found["tokens"] == 4 * 16
    page.reload()  # it is kept
    page.get_by_test_id("speed").get_by_role("listitem").first.wait_for()
    shown = page.get_by_test_id("speed").get_by_role("listitem").all_text_contents()
    longest = max(found["parts"], key=lambda one: float(one["seconds"]))
    assert longest["part"] in shown[0]
    assert len(shown) == len(found["parts"])


def test_the_map_names_the_tokens_of_the_prompt(server: Server, measured: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/inside?run={measured}&tab=map&prompt=The+fox+and+the+fox")
    figure = page.get_by_role("figure", name="Embedding map")
    figure.wait_for()
    named = figure.locator("svg text").all_text_contents()
    assert [word.strip("·␣ ") for word in named] == ["The", "fox", "and", "the"]
    points = figure.locator("svg circle").count()
    assert 301 <= points <= 304  # common tokens of the vocabulary, and what of the prompt is not among them
    head, *rows = rows_of(page, "Embedding map")
    assert head == ["token", "of the prompt", "x", "y"]
    assert rows[0][1] == "yes"  # those of the prompt come first; a long table shows a part of its rows
    assert 1 <= sum(row[1] == "yes" for row in rows) <= 4
