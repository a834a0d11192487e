"""Long lists on the page, in a real browser: what is looked at is fetched and drawn, and all of it can be reached."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, visit
from support.run_folders import write_run
from support.server import Server, serving
from support.waiting import wait_for

pytestmark = NEEDS_PAGE
COUNT = 400
HOSTILE = "<img src=x onerror=alert(1)> \u202e" + "x" * 100_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs with three rates and five seeds; the losses tell them apart. Every fourth has checkpoints."""
    root = tmp_path_factory.mktemp("root")
    one = write_run(root / "one", [5.0, 4.0], options={"model": {"n_layers": 2}})
    for number in range(COUNT):
        folder = shutil.copytree(one, root / "outputs" / "day" / f"run-{number:03}")
        lr = (1e-4, 1e-3, 3e-3)[number % 3]
        (folder / "config.yaml").write_text(f"seed: {number % 5}\nmodel: {{n_layers: 2}}\noptimizer: {{lr: {lr}}}\n")
        log = (folder / "events.jsonl").read_text()
        (folder / "events.jsonl").write_text(log.replace('"val_loss": 4.0', f'"val_loss": {3 + number / COUNT:.4f}'))
        if number % 4 == 0:
            (folder / "checkpoints").mkdir()
            (folder / "checkpoints" / "step-00000010.ckpt").write_bytes(b"")
    shutil.rmtree(one)
    with serving(root) as server, server.client() as client:
        wait_for(lambda: client.get("/api/runs?limit=1").headers["X-Matching-Count"] == str(COUNT))  # all are read
        yield server


def rows(page: Any) -> list[str]:
    return [str(name) for name in page.locator("[data-testid=run-row] a:first-of-type").all_inner_texts()]


def test_a_long_list_is_drawn_as_it_is_looked_at(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/runs?" in request.url else None)
    visit(page, server, "/runs?sort=best_val_loss&desc=0")
    page.get_by_test_id("run-row").first.wait_for()
    table = page.get_by_test_id("run-table")
    assert table.get_attribute("aria-rowcount") == str(COUNT + 1)
    assert rows(page)[0] == "run-000"
    assert 10 <= page.get_by_test_id("run-row").count() < 60
    word = page.locator("[data-testid=run-state] .mantine-Badge-label").first
    assert word.evaluate("word => word.scrollWidth <= word.clientWidth")  # "finished", and not "fi…"
    menu = page.get_by_label("More about run-000").bounding_box()
    assert menu["x"] + menu["width"] <= 1280
    assert not [url for url in asked if "limit" not in url and "ids=" not in url]

    page.get_by_role("link", name="run-000").focus()
    page.keyboard.press("End")  # rows that were neither fetched nor drawn
    wait_for(lambda: page.evaluate("document.activeElement.innerText") == f"run-{COUNT - 1}")
    wait_for(lambda: page.locator("[data-index]").last.get_attribute("aria-rowindex") == str(COUNT + 1))
    page.keyboard.press("ArrowUp")
    wait_for(lambda: page.evaluate("document.activeElement.innerText") == f"run-{COUNT - 2}")
    assert page.get_by_test_id("run-row").count() < 60
    page.get_by_label(f"Select run-{COUNT - 1}").click()  # a choice outlives its row
    page.keyboard.press("Home")
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_url(lambda url: "select=" in url)
    page.get_by_label("Select run-000").click()
    page.get_by_role("button", name="Compare (2)").click()
    page.wait_for_url("**/compare?runs=*")


def test_what_is_asked_for_stands_in_the_address(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, "/runs?cols=lr,best_val_loss")
    fitting = sum(number % 3 != 0 and number % 5 == 2 for number in range(COUNT))
    box = page.get_by_label("Find runs by name, tag, option or figure")
    box.press_sequentially("lr>=1e-3 seed=2", delay=60)  # as somebody types: the box keeps the keyboard
    wait_for(lambda: page.get_by_test_id("run-table").get_attribute("aria-rowcount") == str(fitting + 1))
    assert {"1e-3", "3e-3"} >= {text for text in page.locator("td[data-title=lr]").all_inner_texts() if text}
    page.get_by_role("button", name="Best validation").click()
    page.wait_for_url(lambda url: "sort=best_val_loss" in url)
    page.reload()
    page.get_by_test_id("run-row").first.wait_for()
    assert box.input_value() == "lr>=1e-3 seed=2"
    box.fill("lrr=1")
    page.get_by_text("No option or figure is called lrr").wait_for()
    box.fill("")
    visit(page, server, "/runs")  # as it was looked at last time
    page.get_by_role("columnheader", name="lr").wait_for()


def test_runs_are_put_in_groups_and_a_list_that_is_not_whole_says_so(
    server: Server, open_page: Callable[..., Any]
) -> None:
    def half_read(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "x-read-count": "320"})

    page = open_page(server)
    page.get_by_test_id("run-row").first.wait_for()
    said = page.get_by_text(f"Read 320 of {COUNT} runs")
    assert said.count() == 0
    page.route("**/api/runs?*", half_read)
    visit(page, server, "/runs?group=*")
    said.wait_for()
    groups = page.get_by_test_id("group-row")
    groups.first.wait_for()
    found = groups.all_inner_texts()
    assert [text.split()[0] for text in found] == ["lr=1e-3", "lr=1e-4", "lr=3e-3"]
    low = [3 + number / COUNT for number in range(1, COUNT, 3)]
    assert f"{sum(low) / len(low):.4g}" in found[0]
    assert "5 seeds" in found[0]
    page.get_by_role("button", name="lr=1e-3").click()
    wait_for(lambda: page.get_by_test_id("run-table").get_attribute("aria-rowcount") == str(133 + 1))


def test_choices_and_checkpoints_are_asked_for_as_they_are_needed(
    server: Server, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/checkpoints" in request.url else None)
    visit(page, server, "/checkpoints")
    page.get_by_test_id("checkpoint-row").first.wait_for()
    assert len({url for url in asked if "/api/runs/" in url}) < 20
    choice = page.get_by_role("combobox", name="Run")
    choice.fill("run-004")
    page.get_by_role("option", name="run-004").click()
    page.get_by_role("heading", name="run-004").wait_for()
    wait_for(lambda: page.get_by_test_id("checkpoint-row").count() == 1)


def test_a_run_that_comes_or_is_renamed_shows_up(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, "/runs")
    page.get_by_test_id("run-row").first.wait_for()
    folder = server.root / "outputs" / "day" / "late"
    write_run(folder, [5.0, 1.0])
    page.get_by_role("link", name="late").wait_for()
    with server.client() as client:
        (late,) = [run for run in client.get("/api/runs?limit=3").json() if Path(run["path"]).name == "late"]
        client.patch(f"/api/runs/{late['id']}", json={"name": "Renamed"}).raise_for_status()
    page.get_by_role("link", name="Renamed").wait_for()
    (folder / "notes.json").write_text('{"name": "%s"}' % HOSTILE)  # noqa: UP031
    wait_for(lambda: any(name.startswith("<img") for name in rows(page)))
    assert len(next(name for name in rows(page) if name.startswith("<img"))) <= 120
    shutil.rmtree(folder)
    wait_for(lambda: not any(name.startswith("<img") for name in rows(page)))
