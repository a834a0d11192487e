"""The pages that teach, in a real browser: the decoder box by box, a text without a head, GPT-2 beside one's own."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.hub_cache import put_gpt2
from support.page import NEEDS_PAGE, visit
from support.server import Server, in_state, serving, train
from support.waiting import wait_for

pytestmark = NEEDS_PAGE
PROMPT = "The fox said to the miller"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a small GPT-2 of random weights in its cache of Hugging Face's."""
    cache = tmp_path_factory.mktemp("cache")
    put_gpt2(cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(cache))
        patch.setenv("HF_HUB_OFFLINE", "1")
        with serving(tmp_path_factory.mktemp("root")) as server:
            yield server


@pytest.fixture(scope="module")
def finished(server: Server) -> str:
    """A run with several checkpoints, of a model that differs from GPT-2 in its parts."""
    words = {"model.position": "rope", "model.norm": "rmsnorm", "model.qk_norm": True, "optimizer.lr": 1e-2}
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 8, "save": True, "save_every": 4, **words})
        in_state(client, run_id, "finished")
    return run_id


def numbers(cell: str) -> float:
    return float(cell.replace("−", "-"))


def box(page: Any, name: str) -> Any:
    return page.get_by_test_id(f"box-{name}")


def test_a_score_can_be_computed_by_hand_from_what_is_shown(
    server: Server, finished: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server, 1440)
    visit(page, server, f"/learn?run={finished}&at=4&layer=1&head=1&prompt={PROMPT}")
    panel = page.get_by_test_id("panel")
    page.get_by_test_id("key-row").nth(4).wait_for()
    assert box(page, "attention").get_attribute("aria-expanded") == "true"
    assert "rotation (rope)" in box(page, "attention").inner_text()
    assert box(page, "position").count() == 0
    panel.get_by_role("switch", name="All numbers").press("Space")
    panel.get_by_role("button", name="2 ·said").click()
    rows = panel.get_by_role("region", name="One product, number by number").locator("tbody tr")
    wait_for(lambda: rows.count() == 16)  # head_dim
    cells = [[numbers(cell) for cell in row.locator("td").all_inner_texts()] for row in rows.all()]
    product = sum(query * key for query, key, _ in cells)
    keys = page.get_by_test_id("key-row")
    shown = [keys.nth(at).locator("td").all_inner_texts() for at in range(5)]
    assert numbers(shown[2][1]) == pytest.approx(product, abs=2e-3)
    scores = [numbers(row[2]) for row in shown]
    assert scores[2] == pytest.approx(product / math.sqrt(16), abs=1e-3)
    shares = [math.exp(score) / sum(math.exp(other) for other in scores) for score in scores]
    for row, share in zip(shown, shares, strict=True):
        assert numbers(row[3].rstrip("%")) == pytest.approx(100 * share, abs=0.11)
    with server.client() as client:  # and it is what the attention view says
        found = client.get(f"/api/runs/{finished}/checkpoints").json()[-1]["id"]
        asked = {"checkpoint": found, "prompt": PROMPT, "layer": 1, "head": 1}
        (head,) = client.post("/api/inspect/attention", json=asked).json()["heads"]
    assert shares == pytest.approx(head["weights"][4][:5], abs=1e-3)


def test_every_box_opens_numbers_shapes_and_code_by_keyboard(
    server: Server, finished: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server, 390)
    visit(page, server, f"/learn?run={finished}&prompt={PROMPT}")
    page.get_by_test_id("key-row").first.wait_for()
    seen = {"token": 1, "norm1": 1, "attention": 4, "add1": 1, "norm2": 1, "feed_forward": 1, "add2": 1}
    for name, excerpts in (seen | {"final_norm": 1, "head": 2}).items():
        button = box(page, name)
        if button.get_attribute("aria-expanded") == "false":
            button.focus()
            page.keyboard.press("Enter")
        panel = page.get_by_test_id("panel")

        def is_its_own(panel: Any = panel, button: Any = button) -> bool:
            return bool(button.get_attribute("aria-controls") == panel.get_attribute("id"))

        wait_for(is_its_own)
        panel.get_by_role("tab", name="Live numbers").click()
        panel.get_by_role("region").first.or_(panel.get_by_text("deviation").first).first.wait_for()
        panel.get_by_role("tab", name="Shapes").click()
        panel.get_by_text("batch, seq").first.wait_for()
        panel.get_by_role("tab", name="Code").click()
        panel.get_by_role("region").first.wait_for()
        assert panel.locator("summary").count() >= excerpts
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.get_by_role("button", name="Close Output head").click()
    page.get_by_test_id("panel").wait_for(state="detached")


def test_a_text_with_and_without_a_head(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/inside?tab=ablation&run={finished}&prompt={PROMPT}&off_layer=1&off_head=all")
    part = page.get_by_test_id("without")
    part.get_by_role("region", name="Without layer 1", exact=True).wait_for()
    with server.client() as client:
        found = client.get(f"/api/runs/{finished}/checkpoints").json()[-1]["id"]
        told = client.post("/api/inspect/without", json={"checkpoint": found, "prompt": PROMPT, "layer": 1}).json()
    part.get_by_text(f"{told['whole']['loss']:.4f} nats a token", exact=False).first.wait_for()
    part.get_by_text(f"{told['without']['loss']:.4f} nats a token", exact=False).first.wait_for()
    first = told["first_difference"]
    expected = "Both write the same" if first is None else f"They part at token {first}"
    part.get_by_role("status").get_by_text(expected).wait_for()
    assert part.locator("mark").count() == (0 if first is None else 2)
    part.get_by_label("this head").select_option("1")
    part.get_by_role("region", name="Without layer 1, head 1").wait_for()


def test_gpt2_answers_beside_ones_own(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server, 1440)
    visit(page, server, f"/playground?run={finished}&max_tokens=5&prompt={PROMPT}")
    page.get_by_role("button", name="GPT-2 beside it").click()
    page.get_by_role("region", name="GPT-2 itself").wait_for()
    page.get_by_role("button", name="Write", exact=True).click()
    lists = page.get_by_test_id("next-token").get_by_role("list")
    wait_for(lambda: lists.count() == 2)
    page.get_by_role("region", name="GPT-2 itself").get_by_text("5 tokens").wait_for()
    with server.client() as client:
        how = {"checkpoint": "gpt2", "prompt": PROMPT, "max_tokens": 1}
        lines = client.post("/api/generate", json=how).text.splitlines()
    (drawn,) = [event for line in lines if '"type": "token"' in line for event in [json.loads(line[6:])]]
    shown = lists.nth(1).locator("li").all_inner_texts()
    expected = [one["text"].replace(" ", "·").replace("\n", "⏎")[:11] for one in drawn["alternatives"][:6]]
    assert [line.startswith(text) for line, text in zip(shown, expected, strict=True)] == [True] * 6, (shown, expected)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_what_teaches_fits_and_has_no_barriers(
    server: Server, finished: str, open_page: Callable[..., Any], width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the test extra brings axe").Axe()
    page = open_page(server, width, scheme)
    boxes = ("attention", "norm1", "add1", "feed_forward&show=shapes", "head", "token&show=code")
    paths = [f"/learn?run={finished}&box={name}" for name in boxes]
    for path in (*paths, f"/inside?tab=ablation&run={finished}", f"/playground?gpt2=1&run={finished}"):
        visit(page, server, path)
        page.wait_for_timeout(1500)
        wait_for(lambda: page.locator(".mantine-Loader-root").count() == 0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], path


def test_flipping_through_the_tabs_is_no_error(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    """While the worker is busy: what was flipped past is asked for no more, and its queue has room for the rest."""
    with server.client() as client:
        found = client.get(f"/api/runs/{finished}/checkpoints").json()
        untrained = next(one["id"] for one in found if one["step"] == 0)  # its likeliest token is the one before
        how = {"checkpoint": untrained, "prompt": "a", "max_tokens": 2000, "alternatives": 50, "temperature": 0}
        page = open_page(server)
        visit(page, server, f"/inside?run={finished}&prompt=The+fox")
        page.get_by_text("looks most at").wait_for()
        with client.stream("POST", "/api/generate", json=how) as answer:
            text = answer.iter_text()
            next(text)
            for _ in range(2):
                for tab in page.get_by_role("tab").all():
                    tab.click()
                    assert page.get_by_test_id("error-note").count() == 0
            page.wait_for_timeout(500)
            assert page.get_by_test_id("error-note").count() == 0
        page.get_by_role("figure", name="What each head is worth").wait_for()
        page.get_by_test_id("without").get_by_text("Loss on the prompt").first.wait_for()
        assert page.get_by_test_id("error-note").count() == 0
        page.locator('[data-figure="inside.head_worth"]').hover()
        page.get_by_role("tooltip").filter(has_text="with the head’s output set to zero").wait_for()
