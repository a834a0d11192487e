"""The scrubber of a run that has only said that it saves: from the untrained weights on, and enough to play."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, form, frame_of, visit
from support.server import Server, in_state, serving, train
from support.waiting import wait_for

pytestmark = NEEDS_PAGE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


def test_from_the_untrained_weights_on(server: Server, open_page: Callable[..., Any]) -> None:
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 20, "save": True, "optimizer.lr": 1e-2})
        folder = server.root / in_state(client, run_id, "finished")["path"]
        found = client.get(f"/api/runs/{run_id}/checkpoints").json()
        alone = [one for one in found if one["name"].startswith("weights-")]
        assert [one["step"] for one in alone] == list(range(0, 20, 2))
        assert [one["weights_only"] for one in alone] == [False] + [True] * 9
        how = {"parent": {"run": run_id, "checkpoint": alone[3]["id"]}, "overrides": {"trainer.max_steps": 22}}
        refused = client.post("/api/train", json=how)
        assert (refused.status_code, refused.json()["error"]["field"]) == (409, "checkpoint")
        sizes = client.post("/api/config/resolve", json={"overrides": {"save": True}}).json()["sizes"]
        assert (sizes["checkpoints"], sizes["snapshots"]) == (2, 10)
    page = open_page(server)
    visit(page, server, f"/inside?run={run_id}&prompt=The+fox&tab=logit-lens")
    slider = page.get_by_test_id("scrubber").get_by_role("slider")
    slider.focus()
    slider.press("Home")
    wait_for(lambda: frame_of(page) == 0)
    seen = [0]
    while not page.get_by_role("button", name="The next checkpoint").is_disabled():
        page.get_by_role("button", name="The next checkpoint").click()
        wait_for(lambda: frame_of(page) != seen[-1])
        seen.append(frame_of(page))
    assert seen == list(range(0, 21, 2))  # the last of them is last.ckpt

    visit(page, server, f"/runs/{run_id}?tab=checkpoints")
    page.get_by_role("button", name="More about weights-00000006.ckpt").click()
    page.get_by_role("menuitem", name="Generate text").wait_for()
    assert page.get_by_role("menuitem", name="Go on from here").count() == 0
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_text("no way to look inside the model at its step").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("row", name="weights-00000006.ckpt").wait_for(state="detached")
    assert not Path(folder / "checkpoints" / "weights-00000006.ckpt").exists()

    visit(page, server, form(save="true"))
    cost = page.get_by_test_id("save-cost")
    cost.get_by_text("the weights of 10 moments to look back at").wait_for()
    assert cost.inner_text().startswith("2 checkpoints of ")
