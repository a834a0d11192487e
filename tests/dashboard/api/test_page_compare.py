"""The page Compare in a real browser: runs over what they cost, seeds together, and the verdict as a picture."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, visit
from support.run_folders import write_run
from support.server import Server, serving
from support.waiting import wait_for

pytestmark = NEEDS_PAGE
RATES = (0.001, 0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two rates with three seeds each, of which 0.01 is better by about a nat, and a long sweep."""
    root = tmp_path_factory.mktemp("compared")
    for rate in RATES:
        for seed in (1, 2, 3):
            final = 2.0 - (rate == 0.01) + seed / 50
            options = {"optimizer": {"lr": rate}, "model": {"n_layers": 4}}
            write_run(root / "outputs" / "day" / f"{rate}-{seed}", [4.0, 3.0, final], seed=seed, options=options)
    for place in range(70):
        write_run(root / "multirun" / "day" / "long" / str(place), [3.0, 2.0], options={"x": place})
    with serving(root) as running:
        yield running


def ids(server: Server) -> dict[str, str]:
    with server.client() as client:
        return {Path(run["path"]).name: run["id"] for run in client.get("/api/runs").json()}


def six(server: Server) -> str:
    known = ids(server)
    return ",".join(known[f"{rate}-{seed}"] for seed in (1, 2, 3) for rate in RATES)


def legend(page: Any) -> list[str]:
    return [str(line) for line in page.get_by_role("list", name="Lines of Curves").locator("li").all_inner_texts()]


def test_seeds_are_one_line_and_the_verdict_a_picture(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/compare?runs={six(server)}")
    verdict = page.get_by_test_id("verdict")
    verdict.get_by_text("B (optimizer.lr=0.01) is better than A at equal tokens").wait_for()
    rows = verdict.get_by_test_id("interval")
    wait_for(lambda: rows.count() == 6)  # the end, the best, and four costs
    assert {row.get_attribute("data-outcome") for row in rows.all()} == {"better"}
    bar = rows.first.locator("line").bounding_box()
    zero = verdict.locator("svg[role=img] line").first.bounding_box()
    assert bar["x"] + bar["width"] < zero["x"]  # a whole interval left of zero: that is what better means
    verdict.locator('[data-figure="compare.interval"]').focus()
    page.get_by_role("tooltip").filter(has_text="over the differences of the seeds").wait_for()

    wait_for(lambda: len(legend(page)) == 3)  # two lines, and the cursor's place
    assert [line.split("\n")[0] for line in legend(page)[:2]] == ["lr=1e-3, 3 seeds", "lr=0.01, 3 seeds"]
    page.get_by_role("combobox", name="Seeds").click()
    page.get_by_role("option", name="each run by itself").click()
    wait_for(lambda: len(legend(page)) == 7)
    assert legend(page)[0].startswith("lr=1e-3, seed=1")


def test_the_axis_is_what_runs_have_spent(server: Server, open_page: Callable[..., Any]) -> None:
    """The table of the chart has the costs that were logged, and the mean of three seeds with its band."""
    page = open_page(server)
    visit(page, server, f"/compare?runs={six(server)}&x=flops&metric=val_loss")
    figure = page.get_by_role("figure", name="Curves")
    figure.get_by_role("button", name="View as table").click()
    rows = figure.locator("tbody tr")
    wait_for(lambda: rows.count() == 3)
    figures = [cell.inner_text() for cell in rows.nth(2).locator("td").all()]
    assert figures[0] == "20,000"
    assert [float(cell) for cell in figures[1:]] == pytest.approx([2.04, 2.02, 2.06, 1.04, 1.02, 1.06])
    head = figure.locator("thead th").all_inner_texts()
    assert head[:3] == ["FLOPs", "lr=1e-3, 3 seeds", "lr=1e-3, 3 seeds, from"]


def test_rates_lie_on_a_logarithmic_axis(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/compare?runs={six(server)}&option=optimizer.lr")
    scatter = page.get_by_test_id("scatter")
    wait_for(lambda: scatter.get_by_test_id("point").count() == 6)
    assert scatter.get_attribute("data-axis") == "log"
    visit(page, server, f"/compare?runs={six(server)}&option=seed")
    wait_for(lambda: scatter.get_attribute("data-axis") == "linear")


def test_what_is_left_out_is_said(server: Server, open_page: Callable[..., Any]) -> None:
    """Of 70 runs, 64 are compared, in styles that all differ; runs without costs are named."""
    known = ids(server)
    page = open_page(server)
    visit(page, server, "/compare?runs=" + ",".join(known[str(place)] for place in range(70)))
    page.get_by_test_id("too-many").get_by_text("These are 70 runs, and 64 are compared at a time").wait_for()
    wait_for(lambda: len(legend(page)) == 65)
    samples = page.get_by_role("list", name="Lines of Curves").locator("svg line").all()
    styles = {(line.get_attribute("stroke"), line.get_attribute("stroke-dasharray")) for line in samples}
    assert len(styles) == 64
    assert page.get_by_test_id("too-many").is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_it_fits_and_has_no_barriers(server: Server, open_page: Callable[..., Any], width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the test extra brings axe").Axe()
    page = open_page(server, width, scheme)
    visit(page, server, f"/compare?runs={six(server)}")
    page.get_by_test_id("interval").first.wait_for()
    page.get_by_test_id("point").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
