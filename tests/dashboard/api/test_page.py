"""The dashboard's page in a real browser, over the real server and real trainings of a tiny model."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, answer_late, connection, form, frame_of, step_of, visit
from support.server import Server, in_state, run, serving, train
from support.waiting import wait_for

from lab.dashboard.api.page import STATIC

pytestmark = NEEDS_PAGE
PROMPT = "The fox went to the mill"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


@pytest.fixture(scope="module")
def finished(server: Server) -> str:
    """A run with several checkpoints."""
    with server.client() as client:
        run_id = train(
            client, **{"trainer.max_steps": 12, "save": True, "save_every": 3, "optimizer.lr": 1e-2, "keep": 9}
        )
        in_state(client, run_id, "finished")
    return run_id


def test_an_empty_lab_trains_at_one_click_and_obeys(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    """Start, watch, pause, reload, resume, kill the server and start it again, stop: all from the page."""
    with serving(tmp_path) as server:
        page = open_page(server)
        page.route("**/api/train", answer_late)
        page.get_by_test_id("empty-state").get_by_role("button").first.click()
        page.get_by_test_id("run-step").wait_for()
        page.get_by_test_id("button-pause").wait_for()
        wait_for(lambda: step_of(page) >= 2)
        page.get_by_test_id("button-pause").click()
        # "pausing" until the trainer has, which may be at once.
        page.get_by_text("pausing").or_(page.get_by_test_id("button-resume")).first.wait_for()
        page.get_by_test_id("button-resume").wait_for()
        held = step_of(page)
        assert held > 0
        page.wait_for_timeout(2000)
        assert step_of(page) == held
        page.reload()
        page.get_by_test_id("button-resume").wait_for()
        assert step_of(page) == held
        page.get_by_test_id("button-resume").click()
        wait_for(lambda: step_of(page) > held)
        with server.client() as client:
            found = client.get("/api/runs").json()[-1]

        server.kill()
        wait_for(lambda: connection(page) != "live")
        server.start()
        wait_for(lambda: connection(page) == "live")
        before = step_of(page)
        wait_for(lambda: step_of(page) > before)
        with server.client() as client:
            assert run(client, found["id"])["state"] == "running"
        page.get_by_test_id("button-stop").click()
        wait_for(lambda: "stopped" in page.get_by_test_id("run-state").inner_text())
        with server.client() as client:
            assert run(client, found["id"])["state"] == "stopped"
            series = client.get(f"/api/runs/{found['id']}/metrics?names=train_loss&points=5000").json()["series"]
        # What the page shows as a table is what the server has: nothing doubled or lost over the break.
        page.get_by_role("button", name="View as table").first.click()
        rows = page.get_by_test_id("table-view").first.locator("tbody tr")
        assert series["train_loss"]["total"] == len(series["train_loss"]["steps"])
        assert rows.count() >= min(series["train_loss"]["total"], 100)

        stopped = step_of(page)
        page.get_by_test_id("button-resume").click()  # by a new process, from the checkpoint of the stop
        wait_for(lambda: step_of(page) > stopped)
        page.get_by_test_id("button-save").click()
        page.get_by_test_id("button-save").get_by_text("Save now").wait_for()
        page.get_by_role("tab", name="checkpoints").click()
        page.get_by_test_id("checkpoint-row").filter(has_text="saved-").wait_for()
        page.get_by_test_id("button-stop").click()
        wait_for(lambda: "stopped" in page.get_by_test_id("run-state").inner_text())
        with server.client() as client:
            steps = client.get(f"/api/runs/{found['id']}/metrics?names=train_loss").json()["series"]["train_loss"][
                "steps"
            ]
        assert steps == sorted(set(steps))


def test_a_new_run_from_the_form(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, "/new")
    page.get_by_test_id("estimate").get_by_text("17.7 million").wait_for()
    page.get_by_test_id("save-switch").press("Space")
    page.get_by_test_id("save-cost").wait_for()
    page.get_by_test_id("choice-model-small").click()
    page.get_by_test_id("estimate").get_by_text("51.2 million").wait_for()
    line = page.get_by_test_id("command-line").first
    wait_for(lambda: "model=small" in line.text_content())
    assert "save=true" in line.text_content()
    page.reload()  # the form lives in the address
    page.get_by_test_id("estimate").get_by_text("51.2 million").wait_for()

    visit(page, server, form(**{"trainer.max_steps": 3}))
    page.get_by_placeholder("Find by name or meaning").fill("optimizer.lr")
    rate = page.get_by_test_id("option-optimizer.lr").get_by_role("textbox")
    rate.fill("-1")
    page.get_by_test_id("option-optimizer.lr").get_by_text("optimizer.lr=-1").wait_for()  # the error, at its field
    assert page.get_by_test_id("start").is_disabled()
    rate.fill("0.002")
    page.get_by_label("Name", exact=True).fill("by hand")
    page.get_by_test_id("start").click()
    page.get_by_role("heading", name="by hand").wait_for()
    wait_for(lambda: "finished" in page.get_by_test_id("run-state").inner_text())
    with server.client() as client:
        (found,) = [one for one in client.get("/api/runs").json() if one["name"] == "by hand"]
        config = client.get(f"/api/runs/{found['id']}/config").json()
    assert config["optimizer"]["lr"] == 0.002
    assert found["step"] == 3


def test_a_sweep_over_a_text_of_ones_own(server: Server, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("The cat sat on the mat, and the dog sat on the log.\n" * 300)
    page = open_page(server)
    visit(page, server, form(**{"trainer.max_steps": 2}))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Your own text").click()
    chooser.value.set_files(mine)
    page.get_by_text("is uploaded and chosen").wait_for()
    page.get_by_placeholder("Find by name or meaning").fill("optimizer.lr")
    page.get_by_role("button", name="Sweep over optimizer.lr").click()
    page.get_by_role("button", name="Sweep over optimizer.lr", pressed=True).wait_for()
    page.get_by_test_id("option-optimizer.lr").get_by_role("textbox").fill("0.01, 0.001")
    page.get_by_role("button", name="Start 2 runs").click()
    page.get_by_test_id("sweep-note").wait_for()
    with server.client() as client:

        def ended() -> Any:
            (found,) = client.get("/api/sweeps").json()
            return found if found["state"] == "ended" else None

        runs = [run(client, run_id) for run_id in wait_for(ended)["runs"]]
        configs = [client.get(f"/api/runs/{one['id']}/config").json() for one in runs]
    assert [one["state"] for one in runs] == ["finished", "finished"]
    assert {config["optimizer"]["lr"] for config in configs} == {0.01, 0.001}
    for config in configs:
        assert (server.root / config["corpus"]["path"]).read_text() == mine.read_text()
    differences = page.get_by_test_id("differences")  # the page has followed the sweep
    differences.get_by_text("0.01", exact=True).wait_for()
    differences.get_by_text("0.001", exact=True).wait_for()


def test_attention_rows_sum_to_one_and_never_look_ahead(
    server: Server, finished: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/inside?run={finished}&prompt={PROMPT.replace(' ', '+')}&tab=attention")
    page.get_by_role("button", name="View as table").first.click()
    table = page.get_by_test_id("table-view").first
    table.wait_for()
    rows = [[cell.inner_text() for cell in row.locator("td, th").all()] for row in table.locator("tbody tr").all()]
    numbers = [
        [float(cell.rstrip("%")) for cell in row if cell.rstrip("%").replace(".", "").isdecimal()] for row in rows
    ]
    sums = [sum(row) for row in numbers if row]
    assert sums
    whole = 100 if max(sums) > 2 else 1
    # Long format (from, to, weight) or a matrix, the page's own answer must agree with the server's.
    with server.client() as client:
        checkpoint = client.get(f"/api/runs/{finished}/checkpoints").json()[-1]["id"]
        question = {"checkpoint": checkpoint, "prompt": PROMPT, "layer": 0, "head": 0}
        weights = client.post("/api/inspect/attention", json=question).json()["heads"][0]["weights"]
    shown = sorted(round(value, 1) for row in numbers for value in row)
    for row_number, row in enumerate(weights):
        assert sum(row) == pytest.approx(1, abs=1e-5)
        assert not any(row[row_number + 1 :])
        for value in row[: row_number + 1]:
            assert any(abs(value * whole - other) < 0.06 * whole for other in shown)


def test_the_scrubber_goes_through_the_checkpoints(
    server: Server, finished: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/inside?run={finished}&prompt={PROMPT.replace(' ', '+')}&tab=attention")
    frame = page.get_by_test_id("frame")
    frame.wait_for()
    wait_for(lambda: frame_of(page) == 12)
    seen = [12]
    while not page.get_by_role("button", name="The checkpoint before").is_disabled():
        page.get_by_role("button", name="The checkpoint before").click()
        wait_for(lambda: frame_of(page) != seen[-1])
        seen.append(frame_of(page))
    assert seen[::-1][-4:] == [3, 6, 9, 12]
    page.reload()  # the frame lives in the address
    frame.wait_for()
    wait_for(lambda: frame_of(page) == seen[-1])
    slider = page.get_by_test_id("scrubber").get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")  # by keyboard, too
    wait_for(lambda: frame_of(page) == seen[-2])


def test_the_playground_writes_what_the_server_writes(
    server: Server, finished: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/playground?run={finished}&prompt=The+fox")
    page.get_by_role("button", name="Write", exact=True).click()
    tokens = page.get_by_test_id("writer").get_by_test_id("tokens").locator("button, [role=button]")
    wait_for(lambda: tokens.count() >= 20)
    page.wait_for_timeout(500)
    tokens.nth(3).click()
    page.get_by_test_id("alternatives").wait_for()
    choices = page.get_by_test_id("alternatives").get_by_role("button")
    assert choices.count() >= 5
    choices.nth(4).click()  # go on from there with another token
    branches = page.get_by_role("group", name="Branches").get_by_role("button")
    branches.nth(1).wait_for()
    page.get_by_test_id("openness").wait_for()
    text = page.get_by_test_id("tokens").inner_text()
    page.reload()
    branches.nth(1).wait_for()
    assert page.get_by_test_id("tokens").inner_text() == text
    page.get_by_role("link", name="Tokenizer").first.click()  # to another page and back
    page.get_by_role("heading", name="Tokenizer").wait_for()
    page.go_back()
    branches.nth(1).wait_for()

    page.get_by_role("button", name="A second one beside it").click()
    page.get_by_role("button", name="Write", exact=True).click()
    writers = page.get_by_test_id("writer")
    wait_for(lambda: writers.count() == 2)
    for number in (0, 1):
        written = writers.nth(number).get_by_test_id("tokens").locator("button, [role=button]")

        def has_written(written: Any = written) -> bool:
            return bool(written.count() >= 20)

        wait_for(has_written)
    assert "step 0" in writers.nth(1).inner_text()  # how it began, beside how it ended


def test_runs_are_compared(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    with server.client() as client:
        other = train(client, **{"trainer.max_steps": 12, "optimizer.lr": 1e-3, "save": True})
        in_state(client, other, "finished")
    page = open_page(server)
    visit(page, server, f"/compare?runs={finished},{other}")
    differences = page.get_by_test_id("differences")
    differences.wait_for()
    assert "optimizer.lr" in differences.inner_text()
    assert "0.001" in differences.inner_text()


def test_a_run_is_named_thinned_out_and_deleted(server: Server, open_page: Callable[..., Any]) -> None:
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 4, "save": True, "save_every": 2})
        folder = server.root / in_state(client, run_id, "finished")["path"]
    page = open_page(server)
    visit(page, server, f"/runs/{run_id}")
    page.get_by_role("button", name="Name and tags").click()
    page.get_by_label("Name").fill("The <b>bold</b> one")
    page.get_by_role("combobox", name="Tags").fill("night")
    page.get_by_role("combobox", name="Tags").press("Enter")
    page.get_by_role("textbox", name="Note").fill("what I thought of it")
    page.get_by_role("button", name="Keep these words").click()
    page.get_by_role("heading", name="The <b>bold</b> one").wait_for()
    page.reload()
    page.get_by_text("what I thought of it").wait_for()
    visit(page, server, "/runs?q=night")
    page.get_by_test_id("run-table").get_by_text("The <b>bold</b> one").wait_for()

    visit(page, server, f"/runs/{run_id}?tab=checkpoints")
    page.get_by_role("button", name="More about step-00000002.ckpt").click()
    page.get_by_role("menuitem", name="Export for Hugging Face").click()
    exported = Path(page.get_by_role("status").locator("code").inner_text())
    assert (server.root / exported / "config.json").is_file()
    page.get_by_role("button", name="More about step-00000002.ckpt").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Keep").click()  # a second thought
    assert (folder / "checkpoints" / "step-00000002.ckpt").is_file()
    page.get_by_role("button", name="More about step-00000002.ckpt").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("row", name="step-00000002.ckpt").wait_for(state="detached")
    assert not (folder / "checkpoints" / "step-00000002.ckpt").exists()
    assert (folder / "checkpoints" / "step-00000004.ckpt").is_file()

    visit(page, server, f"/runs/{run_id}")
    page.route(f"**/api/runs/{run_id}", answer_late)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/runs")
    assert not folder.exists()
    page.get_by_text("The <b>bold</b> one").wait_for(state="detached")


def test_a_checkpoint_goes_on_with_other_options(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{finished}?tab=checkpoints")
    page.get_by_role("button", name="More about step-00000006.ckpt").click()
    page.get_by_role("menuitem", name="Go on from here with other options").click()
    page.get_by_text("Going on from a checkpoint").wait_for()
    page.get_by_label("Name", exact=True).fill("forked")
    page.get_by_test_id("start").click()
    page.get_by_role("heading", name="forked").wait_for()
    with server.client() as client:
        (fork,) = [found for found in client.get("/api/runs").json() if found["name"] == "forked"]
        steps = in_state(client, fork["id"], "finished")["step"]
        log = client.get(f"/api/runs/{fork['id']}/events").json()["events"]
    assert steps == 12
    assert [event["step"] for event in log if event["kind"] == "continued"] == [6]
    wait_for(lambda: step_of(page) == 12)
    page.get_by_text("goes on from").get_by_role("link").click()
    page.wait_for_url(f"**/runs/{finished}")


def test_a_run_that_diverges_says_so(server: Server, open_page: Callable[..., Any]) -> None:
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 9})
        in_state(client, run_id, "finished")
        bad = train(client, **{"optimizer.lr": 1e38, "trainer.max_steps": 9})
    page = open_page(server)
    visit(page, server, f"/runs/{bad}?tab=alerts")
    page.get_by_test_id("failure").get_by_text("diverged").first.wait_for()
    page.get_by_test_id("alerts").get_by_text("diverged").first.wait_for()
    visit(page, server, f"/runs/{run_id}?tab=alerts")
    page.get_by_text("No alerts").wait_for()


def test_the_first_page_is_small(server: Server, open_page: Callable[..., Any]) -> None:
    """Everything that the first look at the runs fetches, compressed."""
    import gzip

    fetched: list[str] = []
    page = open_page(server)
    page.on("response", lambda answer: fetched.append(answer.url) if "/assets/" in answer.url else None)
    visit(page, server, "/runs")
    page.wait_for_timeout(2000)
    sizes = {url: len(gzip.compress((STATIC / "assets" / url.rpartition("/")[2]).read_bytes())) for url in set(fetched)}
    print(f"first load: {len(sizes)} files, {sum(sizes.values()) / 1000:.0f} KB compressed")
    assert 0 < sum(sizes.values()) < 320_000
