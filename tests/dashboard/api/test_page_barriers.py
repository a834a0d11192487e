"""Every page in every state that is of a kind, in one walk: axe finds nothing, and nothing sticks out sideways."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, visit
from support.run_folders import write_run
from support.server import Server, folder_of, serving
from support.waiting import wait_for

from lab.runs.events import EventLog

pytestmark = NEEDS_PAGE
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PROMPT = "The+fox+went+to+the+mill"
RATES = (0.001, 0.01)


@pytest.fixture(scope="module")
def places(server: Server, finished: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Any]]:
    """A server over a copy of a run that keeps its weights, two rates of three seeds each, and one with alerts; and
    their ids by the names of their folders."""
    root = tmp_path_factory.mktemp("walk")
    with server.client() as client:
        shutil.copytree(folder_of(server, client, finished), root / "outputs" / "trained")
    for rate in RATES:
        for seed in (1, 2, 3):
            losses = [4.0, 3.0, 2.0 - (rate == RATES[1]) + seed / 50]
            options = {"optimizer": {"lr": rate}, "model": {"n_layers": 4}}
            write_run(root / "outputs" / f"{rate}-{seed}", losses, seed=seed, options=options)
    log = EventLog(write_run(root / "outputs" / "alarming", [5.0, 3.0, 4.0]))
    log.alert(20, "overfitting", "validation rises", since=10, advice="stop there")
    log.alert(20, "failed", "training diverged")
    log.close()
    with serving(root) as running, running.client() as client:
        yield running, {Path(run["path"]).name: run["id"] for run in client.get("/api/runs").json()}


def lists(ids: Any) -> list[tuple[str, str]]:
    columns = "state,optimizer.lr,model.n_layers,seed,best_val_loss,bits_per_byte,checkpoints,seconds,curve"
    return [
        ("/runs", "[data-testid=run-row]"),
        (f"/runs?cols={columns}", "[data-testid=run-row]"),
        ("/runs?group=*", "[data-testid=group-row]"),
        ("/runs?q=nothing", "[data-testid=empty-state]"),
        ("/checkpoints", "[data-testid=checkpoint-row]"),
        (
            "/compare?runs=" + ",".join(ids[f"{rate}-{seed}"] for rate in RATES for seed in (1, 2, 3)),
            "[data-testid=point]",
        ),
        ("/compare", "[data-testid=empty-state]"),
    ]


def runs(ids: Any) -> list[tuple[str, str]]:
    tabs = ("samples", "weights", "speed", "config")
    return [
        *((f"/runs/{ids['trained']}?tab={tab}", "[data-testid=run-charts]") for tab in tabs),
        (f"/runs/{ids['alarming']}?tab=alerts", "[data-testid=alerts]"),
        ("/runs/missing", "h1:has-text('not there')"),
        ("/new", "[data-testid=cost-time]"),
        ("/new?set=optimizer.lr%3D0.3&find=optimizer.lr", "[data-testid=rate-warning]"),
        ("/new?set=optimizer.lr%3D-1&find=optimizer.lr", "[data-testid=form-errors]"),
        ("/new?set=model%3Dlarge&set=data.batch_size%3D40", "[data-testid=cost-memory]"),
    ]


def models(ids: Any) -> list[tuple[str, str]]:
    of = f"run={ids['trained']}&prompt={PROMPT}"
    return [
        *(
            (f"/inside?tab={tab}&{of}", "[role=tabpanel] figure, [role=tabpanel] h3")
            for tab in ("attention", "activations", "lens", "loss", "neighbours", "map")
        ),
        (f"/inside?tab=ablation&{of}&off_layer=1&off_head=all", "[data-testid=without] [role=status]"),
        *((f"/learn?{of}&box={box}", "[data-testid=panel]") for box in ("attention", "norm1", "add1", "head")),
        (f"/learn?{of}&box=feed_forward&show=shapes", "[data-testid=panel]"),
        (f"/learn?{of}&box=token&show=code", "[data-testid=panel] pre"),
        (f"/playground?gpt2=1&{of}", "[data-testid=writer]"),
        ("/tokenizer", "[data-testid=pieces], [data-testid=tokens]"),
        ("/nowhere", "h1"),
    ]


def settle(page: Any) -> None:
    """Waits until nothing is on its way any more."""
    wait_for(lambda: page.locator(".mantine-Loader-root, [aria-busy=true]").count() == 0)


@pytest.mark.parametrize("walk", [lists, runs, models])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_no_page_has_barriers(
    places: tuple[Server, Any], open_page: Callable[..., Any], walk: Callable[[Any], Any], width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the test extra brings axe").Axe()
    running, ids = places
    page = open_page(running, width, scheme)

    def look(where: str) -> None:
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
        found = axe.run(page, options={"runOnly": RULES}).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], where

    for path, there in walk(ids):
        visit(page, running, path)
        page.locator(there).first.wait_for()
        # What stands folded under each chart, too.
        for button in page.get_by_role("button", name="What did I just see?").all():
            button.click()
        look(path)


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_what_opens_has_no_barriers(
    places: tuple[Server, Any], open_page: Callable[..., Any], width: int, scheme: str
) -> None:
    """Menus, lists to choose from and questions."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the test extra brings axe").Axe()
    running, ids = places
    page = open_page(running, width, scheme)
    opened = {
        ("/runs", "Columns"): "option",
        ("/runs", "More about alarming"): "menuitem",
        (f"/runs/{ids['trained']}?tab=checkpoints", "More about last.ckpt"): "menuitem",
        (f"/runs/{ids['trained']}", "Name and tags"): "dialog",
        (f"/runs/{ids['trained']}", "Delete"): "dialog",
    }
    for (path, name), role in opened.items():
        visit(page, running, path)
        page.get_by_role("button", name=name, exact=True).wait_for()
        settle(page)  # what moves while the mouse is down is not clicked on
        page.get_by_role("button", name=name, exact=True).click()
        if name == "Columns":
            page.get_by_role("combobox", name="Columns").click()
        page.get_by_role(role).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = axe.run(page, options={"runOnly": RULES}).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], name
