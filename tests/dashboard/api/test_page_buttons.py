"""What the page offers to do with a run is what the server does: in a real browser, over real trainings."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, visit
from support.server import Server, in_state, run, serving, train
from support.waiting import wait_for

pytestmark = NEEDS_PAGE
LONG = {"trainer.max_steps": 100_000, "eval_every": 100_000}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


@pytest.fixture(scope="module")
def bare(server: Server) -> str:
    """A run that has kept no weights."""
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 3, "optimizer.lr": 2e-3})
        in_state(client, run_id, "finished")
    return run_id


def steering(page: Any) -> list[str]:
    """The commands that are offered."""
    found = page.locator('[data-testid^="button-"]')  # all in one look: one by one, they may go in between
    return sorted(name[7:] for name in found.evaluate_all("all => all.map(one => one.dataset.testid)"))


def newest(server: Server) -> dict[str, Any]:
    with server.client() as client:
        return dict(client.get("/api/runs").json()[0])


def test_stop_asks_where_weights_would_be_lost_and_saves_them(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    with server.client() as client:
        run_id = train(client, **LONG)
        visit(page, server, f"/runs/{run_id}")
        in_state(client, run_id, "running")
        wait_for(lambda: run(client, run_id)["step"] > 2)
        page.get_by_test_id("button-stop").click()
        page.get_by_test_id("stop-question").get_by_text("keeps no checkpoints").wait_for()
        page.get_by_role("button", name="Let it train").click()
        assert run(client, run_id)["state"] == "running"
        page.get_by_test_id("button-stop").click()
        page.get_by_role("button", name="Save and stop").click()
        stopped = in_state(client, run_id, "stopped")
        (kept,) = client.get(f"/api/runs/{run_id}/checkpoints").json()
        assert kept["step"] == stopped["step"] == stopped["saved_step"]
        wait_for(lambda: steering(page) == ["resume"])  # there is something to go on from
        page.get_by_test_id("button-resume").click()
        in_state(client, run_id, "running")
        wait_for(lambda: run(client, run_id)["step"] > kept["step"])
        page.get_by_test_id("button-stop").click()
        page.get_by_test_id("stop-question").get_by_text(f"of step {kept['step']}.").wait_for()
        page.get_by_role("button", name="Stop without saving").click()
        in_state(client, run_id, "stopped")
        assert len(client.get(f"/api/runs/{run_id}/checkpoints").json()) == 1


def test_stop_does_not_ask_a_run_that_saves(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    with server.client() as client:
        run_id = train(client, **LONG, save=True)
        visit(page, server, f"/runs/{run_id}")
        in_state(client, run_id, "running")
        wait_for(lambda: run(client, run_id)["step"] > 1)
        page.get_by_test_id("button-stop").click()
        stopped = in_state(client, run_id, "stopped")
    assert stopped["saved_step"] == stopped["step"]


def test_a_run_is_started_again_with_its_options(server: Server, bare: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{bare}")
    page.get_by_test_id("button-again").wait_for()
    assert steering(page) == ["again"]  # no Resume, which would be refused
    with server.client() as client:
        assert client.post(f"/api/runs/{bare}/resume").status_code == 409
        page.get_by_test_id("button-again").click()
        page.wait_for_url(lambda url: bare not in url)
        again = newest(server)
        assert again["id"] in page.url
        in_state(client, again["id"], "finished")
        before, now = (client.get(f"/api/runs/{one}/config").json() for one in (bare, again["id"]))
        before["logger"] = now["logger"] = None  # the folder
        assert before == now
        losses = [
            client.get(f"/api/runs/{one}/metrics?names=train_loss").json()["series"] for one in (bare, again["id"])
        ]
    assert losses[0]["train_loss"]["values"] == losses[1]["train_loss"]["values"]


def test_a_run_with_changes_and_one_that_keeps_its_model(
    server: Server, bare: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{bare}")
    steps = page.get_by_test_id("next-steps")
    steps.get_by_text("has kept no weights").wait_for()
    steps.get_by_role("button", name="Run again with changes").click()
    line = page.get_by_test_id("command-line").first
    wait_for(lambda: "optimizer.lr=0.002" in line.text_content() and "trainer.max_steps=3" in line.text_content())
    assert "save=true" not in line.text_content()
    page.go_back()
    steps.get_by_role("button", name="Run again and keep it").click()
    wait_for(lambda: "save=true" in line.text_content())
    page.get_by_test_id("start").click()
    page.get_by_test_id("next-steps").get_by_role("link", name="Train longer").click()
    page.get_by_text("Going on from a checkpoint").wait_for()
    page.get_by_test_id("start").click()
    page.get_by_text("goes on from").wait_for()
    with server.client() as client:
        longer = in_state(client, newest(server)["id"], "finished")
        assert longer["step"] == 6
        wait_for(lambda: page.get_by_test_id("next-steps").get_by_role("link", name="Let it write").count() == 1)
        page.get_by_test_id("next-steps").get_by_role("link", name="Let it write").click()
        page.get_by_role("button", name="Write", exact=True).wait_for()
        last = client.get(f"/api/runs/{longer['id']}/checkpoints").json()
        assert any(one["id"] in page.url and one["step"] == 6 for one in last)


def test_rename_tags_and_delete_are_in_the_list_and_on_the_page(
    server: Server, bare: str, open_page: Callable[..., Any]
) -> None:
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 1})
        folder: Path = server.root / in_state(client, run_id, "finished")["path"]
    page = open_page(server)
    row = page.locator(f'[data-run="{run_id}"]')
    row.get_by_role("button", name="More about").click()
    page.get_by_role("menuitem", name="Rename, tags, note").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("out of the list")
    page.get_by_role("combobox", name="Tags").fill("night")  # and no Enter: what is typed counts
    page.get_by_role("button", name="Keep these words").click()
    row.get_by_role("link", name="out of the list").wait_for()
    row.get_by_text("night", exact=True).wait_for()
    row.get_by_role("link", name="out of the list").click()
    page.get_by_role("button", name="Name and tags").click()
    page.get_by_role("textbox", name="Note").fill("hm")
    page.get_by_role("button", name="Keep these words").click()
    page.get_by_text("hm", exact=True).wait_for()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    assert folder.is_dir()
    page.go_back()
    row.get_by_role("button", name="More about").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")
    assert not folder.exists()
