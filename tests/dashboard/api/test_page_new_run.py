"""The form in a real browser: what it asks for is what is started, whichever of the four it is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.page import NEEDS_PAGE, form, visit
from support.server import Server, in_state, run, serving, train
from support.waiting import wait_for

pytestmark = NEEDS_PAGE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


@pytest.fixture(scope="module")
def parent(server: Server) -> tuple[str, str]:
    """A run that has saved every three steps, and the checkpoint of its sixth."""
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 9, "save": True, "save_every": 3, "keep": 9})
        in_state(client, run_id, "finished")
        found = [c["id"] for c in client.get(f"/api/runs/{run_id}/checkpoints").json() if c["step"] == 6]
    return run_id, found[0]


def command(page: Any) -> str:
    return str(page.get_by_test_id("command-line").first.text_content())


def config_of(client: Any, run_id: str) -> dict[str, Any]:
    return dict(client.get(f"/api/runs/{run_id}/config").json())


def test_a_fork_inherits_and_can_switch_saving_off(
    server: Server, parent: tuple[str, str], open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/new?fork={parent[1]}&from={parent[0]}")
    wait_for(lambda: page.get_by_label("Also every so many steps").input_value() == "3")
    switch = page.get_by_test_id("save-switch")
    assert switch.is_checked()
    switch.press("Space")
    wait_for(lambda: "save=false" in command(page))
    assert "resume=" in command(page)
    page.get_by_label("Name", exact=True).fill("nothing kept")
    page.get_by_test_id("start").click()
    page.get_by_role("heading", name="nothing kept").wait_for()
    with server.client() as client:
        (found,) = [one for one in client.get("/api/runs").json() if one["name"] == "nothing kept"]
        done = in_state(client, found["id"], "finished")
        assert (done["step"], done["parent"], done["save"]) == (9, parent[0], False)
        assert client.get(f"/api/runs/{found['id']}/checkpoints").json() == []


def test_a_sweep_of_forks_tries_every_value_and_keeps_its_name(
    server: Server, parent: tuple[str, str], open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/new?fork={parent[1]}&from={parent[0]}&find=optimizer.lr")
    page.get_by_role("button", name="Sweep over optimizer.lr").click()
    page.get_by_role("button", name="Sweep over optimizer.lr", pressed=True).wait_for()
    page.get_by_test_id("option-optimizer.lr").get_by_role("textbox").fill("0.01, 0.001")
    page.get_by_label("Name", exact=True).fill("two rates")
    wait_for(lambda: "optimizer.lr=0.01,0.001" in command(page))
    assert command(page).startswith("python -m lab.train -m ")
    page.get_by_role("button", name="Start 2 runs").click()
    page.get_by_test_id("sweep-note").get_by_text("two rates", exact=True).wait_for()
    with server.client() as client:

        def ended() -> Any:
            found = [one for one in client.get("/api/sweeps").json() if one["name"] == "two rates"]
            return found[0] if found and found[0]["state"] == "ended" else None

        jobs = [run(client, run_id) for run_id in wait_for(ended)["runs"]]
        assert [(job["state"], job["step"], job["parent"]) for job in jobs] == [("finished", 9, parent[0])] * 2
        assert {config_of(client, job["id"])["optimizer"]["lr"] for job in jobs} == {0.01, 0.001}
        for job in jobs:
            events = client.get(f"/api/runs/{job['id']}/events").json()["events"]
            assert [event["step"] for event in events if event["kind"] == "continued"] == [6]


def test_an_error_goes_with_its_value_and_what_would_be_refused_is_not_offered(
    server: Server, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, form(find="optimizer").replace("set=find%3Doptimizer", "find=optimizer"))
    page.get_by_test_id("option-optimizer.betas").wait_for()
    wait_for(lambda: page.get_by_test_id("option-optimizer.momentum").count() == 0)
    rate = page.get_by_test_id("option-optimizer.lr").get_by_role("textbox")
    rate.fill("0.5")
    beside = page.get_by_test_id("option-optimizer.lr").get_by_role("status")
    beside.get_by_text("A learning rate of 0.5 is far too high").wait_for()
    assert beside.inner_text() in page.get_by_test_id("rate-warning").inner_text()
    rate.fill("-1")
    page.get_by_test_id("form-errors").wait_for()
    assert page.get_by_test_id("start").is_disabled()
    page.route("**/api/config/resolve", lambda _: None)  # at once, whenever the server answers
    rate.fill("0.002")
    page.get_by_test_id("form-errors").wait_for(state="detached")
    assert not page.get_by_test_id("start").is_disabled()
    page.unroute("**/api/config/resolve")

    # What came of a start goes when another one is asked for.
    page.route("**/api/train", lambda route: route.abort("connectionrefused"))
    page.get_by_test_id("start").click()
    page.get_by_text("The server does not answer").wait_for()
    rate.fill("0.003")
    page.get_by_text("The server does not answer").wait_for(state="detached")
    page.get_by_label("Find an option").fill("")
    page.get_by_role("button", name="optimizer").first.click()
    page.get_by_test_id("group-optimizer").click()
    page.get_by_role("option", name="sgd").click()
    page.get_by_test_id("option-optimizer.momentum").wait_for()
    wait_for(lambda: page.get_by_test_id("option-optimizer.betas").count() == 0)


def test_time_and_memory_are_told_and_what_does_not_fit_asks_twice(
    server: Server, parent: tuple[str, str], open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, form(**{"trainer.max_steps": 100_000}))
    page.get_by_test_id("cost-time").get_by_text("if it is as fast as").wait_for()
    assert "Fits into the" in page.get_by_test_id("cost-memory").inner_text()
    visit(page, server, "/new?set=corpus%3Dstdlib&set=model%3Dmedium&set=data.batch_size%3D512")
    page.get_by_test_id("cost-time").get_by_text("by what this machine multiplied in a second").wait_for()
    assert "Too large for this machine" in page.get_by_test_id("cost-memory").inner_text()
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request.post_data_json) if "/api/train" in request.url else None)
    page.get_by_test_id("start").click()
    page.get_by_role("dialog").get_by_text("would be needed").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Change something").click()
    page.get_by_role("dialog").wait_for(state="detached")
    assert asked == []
    with server.client() as client:
        overrides = {"corpus": "stdlib", "model": "medium", "data.batch_size": 512}
        answer = client.post("/api/train", json={"overrides": overrides})
        assert (answer.status_code, answer.json()["error"]["field"]) == (409, "confirmed")
    page.route("**/api/train", lambda route: route.abort("connectionrefused"))
    page.get_by_test_id("start").click()
    page.get_by_role("dialog").get_by_role("button", name="Start it all the same").click()
    wait_for(lambda: [one["confirmed"] for one in asked] == [True])


def test_several_texts_are_mixed(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, form(**{"trainer.max_steps": 2}))
    page.get_by_test_id("corpus-choice").click()
    page.get_by_role("option", name="mix: several of these").click()
    page.get_by_label("Shares").fill("0.75, 0.25")
    wait_for(lambda: "'corpus.weights=[0.75,0.25]'" in command(page))
    page.get_by_test_id("start").click()
    page.get_by_test_id("run-step").wait_for()
    run_id = page.url.rpartition("/")[2]
    with server.client() as client:
        in_state(client, run_id, "finished")
        corpus = config_of(client, run_id)["corpus"]
    assert (corpus["parts"], corpus["weights"]) == (["fables", "grammar"], [0.75, 0.25])
