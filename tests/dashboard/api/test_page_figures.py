"""What the page shows is what the run has logged: numbers are read off the page and computed again from the folder."""

import json
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.curves import troubled
from support.page import NEEDS_PAGE, visit
from support.run_folders import LN2, write_curves
from support.server import Server, serving
from support.waiting import wait_for

from lab.runs.events import EventLog
from lab.runs.state import write_state

pytestmark = NEEDS_PAGE
STEPS, WINDOWS, CONTEXT, BATCH, VOCABULARY = 120, 16, 8, 2, 1000
TURN = 60


def val_loss(step: int) -> float:
    """Falls to step 60, and rises from there."""
    return 3 + 0.06 * abs(step - TURN)


def rate(step: int) -> float:
    """Fast and slow by turns, and slow at the end: the last is no mean."""
    return 100.0 if step > 110 else 1000.0 if step % 2 else 250.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    folder = root / "outputs" / "known"
    folder.mkdir(parents=True)
    model = {"n_layers": 1, "emb_dim": 8, "n_heads": 1, "vocab_size": VOCABULARY, "context_length": CONTEXT}
    trainer = {"accumulate_grad_batches": 1, "devices": 1, "num_nodes": 1}
    options = {"model": model, "data": {"batch_size": BATCH}, "trainer": trainer, "corpus": {"name": "mine"}}
    (folder / "config.yaml").write_text(json.dumps(options | {"optimizer": {}, "save": True}))
    log = EventLog(folder)
    for step in range(STEPS + 1):
        if step:
            seen = {"tokens_seen": step * BATCH * CONTEXT, "epoch": step * BATCH / WINDOWS}
            figures = {"train_loss": 7 - step / 30, "grad_norm": 1.0, "learning_rate": 1e-3}
            log.metrics(step, figures | seen | {"tokens_per_second": rate(step)})
        if step % 10 == 0:
            log.metrics(step, {"val_loss": val_loss(step), "val_bits_per_byte": val_loss(step) / LN2 / 4})
    log.close()
    levels = {"guessing_loss": math.log(VOCABULARY), "unigram_val_loss": 5.5, "floor_loss": 2.5, "training_tokens": 130}
    (folder / "yardsticks.json").write_text(json.dumps(levels))
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "step-00000060.ckpt").write_bytes(b"x" * 3_000_000)
    (checkpoints / "step-00000120.ckpt").write_bytes(b"x" * 2_000_000)
    os.link(checkpoints / "step-00000060.ckpt", checkpoints / "best.ckpt")
    write_state(folder, "failed", step=STEPS, total_steps=STEPS, tokens_per_second=rate(STEPS))
    long(root / "outputs" / "long")
    for kind, (losses, norms, evaluations) in troubled().items():
        write_curves(root / "outputs" / kind, losses, norms=norms, evaluations=evaluations)
    log = EventLog(write_curves(root / "outputs" / "failed", [5.0] * 9))
    log.alert(9, "failed", "the gradient became NaN after step 9", advice="try a smaller optimizer.lr")
    log.close()
    with serving(root) as server:
        yield server


def long(folder: Path) -> None:
    """A run with more points than a page holds."""
    folder.mkdir()
    with (folder / "events.jsonl").open("w") as file:
        for step in range(1, 20_001):
            loss = 5 - step / 5000 + (0.5 if step % 2 else -0.5)
            line = {"seq": step, "time": 1.8e9 + step, "kind": "metrics", "step": step, "train_loss": loss}
            file.write(json.dumps(line) + "\n")
    write_state(folder, "finished", step=20_000, total_steps=20_000)


def id_of(server: Server, name: str) -> str:
    with server.client() as client:
        (run_id,) = [one["id"] for one in client.get("/api/runs").json() if one["path"] == f"outputs/{name}"]
    return str(run_id)


def logged(server: Server, name: str, figure: str) -> dict[int, float]:
    """A curve, from the file itself."""
    lines = (server.root / "outputs" / name / "events.jsonl").read_text().splitlines()
    return {e["step"]: e[figure] for e in map(json.loads, lines) if figure in e}


def tile(page: Any, name: str) -> float:
    text = page.locator(f'[data-tile="{name}"] dd').inner_text()
    return float(text.replace(",", ""))


def test_each_figure_of_a_run_is_that_of_its_log(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{id_of(server, 'known')}")
    page.locator('[data-tile="run.bits_per_byte"]').wait_for()
    losses, rates = logged(server, "known", "val_loss"), logged(server, "known", "tokens_per_second")
    wait_for(lambda: "–" not in page.locator('[data-tile="run.passes"] dd').inner_text())
    assert tile(page, "run.val_loss") == pytest.approx(losses[STEPS], abs=6e-4)
    assert tile(page, "run.best_val_loss") == pytest.approx(min(losses.values()), abs=6e-4)
    assert tile(page, "run.perplexity") == pytest.approx(math.exp(losses[STEPS]), rel=1e-3)
    assert tile(page, "run.bits_per_byte") == pytest.approx(losses[STEPS] / LN2 / 4, abs=6e-4)
    assert tile(page, "run.tokens_seen") == STEPS * BATCH * CONTEXT
    # Passes: tokens seen, by those of the training windows.
    assert tile(page, "run.passes") == pytest.approx(STEPS * BATCH * CONTEXT / (WINDOWS * CONTEXT))
    # It has ended: all tokens by all seconds, without the first step.
    tokens = BATCH * CONTEXT
    seconds = sum(tokens / rates[step] for step in range(2, STEPS + 1))
    assert tile(page, "run.speed_mean") == round((STEPS - 1) * tokens / seconds)
    assert page.locator('[data-tile="run.speed_now"]').count() == 0
    # And each says what it is computed from, to the pointer and by keyboard.
    for figure in ("run.passes", "run.speed_mean"):
        page.locator(f'[data-figure="{figure}"]').focus()
        page.get_by_role("tooltip").filter(has_text="windows" if "passes" in figure else "seconds").wait_for()


def test_what_the_loss_is_held_against_is_drawn_and_the_turn_marked(
    server: Server, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{id_of(server, 'known')}")
    page.get_by_test_id("turn").get_by_text(f"since step {TURN}").wait_for()
    chart = page.get_by_role("figure", name="Loss", exact=True)
    chart.get_by_test_id("in-words").get_by_text(f"lowest 3 at {TURN}").wait_for()
    words = chart.get_by_test_id("in-words").inner_text()
    for label, level in (("guessing", math.log(VOCABULARY)), ("counting single tokens", 5.5), ("best possible", 2.5)):
        line = chart.locator(f'[data-level="{label}"]')
        assert float(line.inner_text().split()[-1]) == pytest.approx(level, abs=6e-4)
        assert f"{label}: " in words
    assert f"Validation rises since step {TURN}" in words
    bits = page.get_by_role("figure", name="Bits per byte")
    level = bits.locator('[data-level="counting single tokens"]').inner_text().split()[-1]
    assert float(level) == pytest.approx(5.5 / LN2 / 4, abs=6e-4)


def test_the_legend_tells_the_point_that_the_dot_is_on(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{id_of(server, 'known')}?smooth=0")
    page.get_by_test_id("turn").wait_for()
    chart = page.get_by_role("figure", name="Loss", exact=True)
    values = chart.get_by_role("list").locator("li > span:nth-child(3)")
    losses, training = logged(server, "known", "val_loss"), logged(server, "known", "train_loss")
    wait_for(lambda: values.nth(0).inner_text() == f"{training[STEPS]:.4g}")  # at rest the newest, as the tile
    over = chart.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    for share in (0.21, 0.48, 0.77):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        step = int(re.findall(r"at (\d+)", chart.get_by_role("list").inner_text().replace("\n", " "))[-1])
        assert float(values.nth(0).inner_text()) == pytest.approx(training[step], abs=6e-4)
        told = values.nth(1).inner_text()
        place = int(told.partition(" at ")[2] or step)
        # uPlot puts the dot on the nearest evaluation; the legend says which, and its value.
        assert abs(place - step) <= 5
        assert float(told.partition(" at ")[0]) == pytest.approx(losses[place], abs=6e-4)
        dot = chart.locator(".u-cursor-pt").nth(1).bounding_box()
        axis = page.evaluate("([low, high, width]) => width / (high - low)", [0, STEPS, box["width"]])
        assert dot["x"] + dot["width"] / 2 - box["x"] == pytest.approx(place * axis, abs=2)


def test_a_thinned_table_says_so_and_a_column_tells_its_range(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/runs/{id_of(server, 'long')}?smooth=0")
    chart = page.get_by_role("figure", name="Loss", exact=True)
    values = chart.get_by_role("list").locator("li > span:nth-child(3)")
    losses = logged(server, "long", "train_loss")
    wait_for(lambda: values.nth(0).inner_text() == f"{losses[20_000]:.4g}")  # at rest the newest, though it is a dip
    over = chart.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    low, _, high = values.nth(0).inner_text().partition(" to ")
    assert high == "" or float(high) - float(low) == pytest.approx(1, abs=0.05)
    chart.get_by_role("button", name="View as table").click()
    size = chart.get_by_test_id("table-size").inner_text()
    shown = re.search(r"200 of ([\d,]+) rows, about every (\d+)\w\w;", size)
    assert shown is not None, size
    held = int(shown[1].replace(",", ""))
    assert int(shown[2]) == round((held - 1) / 199)
    assert f"training: {shown[1]} of 20,000 points" in size
    assert chart.locator("tbody tr").count() == 200


def test_a_file_with_two_names_takes_the_room_of_one(server: Server, open_page: Callable[..., Any]) -> None:
    folder = server.root / "outputs" / "known" / "checkpoints"
    blocks = {(path.stat().st_dev, path.stat().st_ino): path.stat().st_size for path in folder.iterdir()}
    page = open_page(server)
    visit(page, server, "/checkpoints")
    told = page.locator('[data-figure="checkpoints.all"]').inner_text()
    assert told == f"{sum(blocks.values()) / 1e6:g} MB"
    page.get_by_text("the file of").wait_for()


def test_what_a_run_comes_to_is_said_of_what_is_trained_on(server: Server, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, "/new?set=experiment%3Doverfit")
    steps = page.get_by_test_id("estimate").locator('[data-tile="new.steps"]')
    wait_for(lambda: "60 passes over 4 windows of 64 tokens" in steps.inner_text())
    hint = page.get_by_role("figure", name="Learning rate to be").inner_text()
    assert "descent" not in hint
    visit(page, server, "/new")
    text = page.get_by_test_id("estimate").locator('[data-tile="new.training_text"]')
    wait_for(lambda: "48,394 tokens" in text.inner_text())
    assert "of 53,771; 5,377 validate" in text.inner_text()
    wait_for(lambda: "descent" in page.get_by_role("figure", name="Learning rate to be").inner_text())


ALARMS = {
    "rate_too_high": ("Learning rate too high, since step 31", "try optimizer.lr=0.0003"),
    "loss_spike": ("Spike, since step 141", "one bad batch does no harm"),
    "above_guessing": ("Worse than guessing, since step 11", "try optimizer.lr=0.0003"),
    "stalled": ("Stalled, since step 11", "try another learning rate"),
    "always_clipped": ("Every gradient clipped, since step 11", "try trainer.gradient_clip_val=100"),
    "overfitting": ("Overfitting, since step 100", "callbacks=early_stopping"),
    "failed": ("Failed at step 9", "try a smaller optimizer.lr"),
}


def test_each_kind_of_alert_says_where_it_began_and_what_to_try(server: Server, open_page: Callable[..., Any]) -> None:
    """Also of runs that told of none: their figures are judged when they are looked at."""
    page = open_page(server)
    for kind, (title, advice) in ALARMS.items():
        visit(page, server, f"/runs/{id_of(server, kind)}?tab=alerts")
        told = page.get_by_test_id("alerts")
        told.get_by_text(title).wait_for()
        words = told.inner_text()
        assert advice.lower() in words.lower()
        assert ("the run told of no alert itself" in words) is (kind != "failed")
        assert told.get_by_role("alert").count() == 1
        assert page.get_by_role("tab", name="alerts").inner_text().split() == ["Alerts", "1"]
        if kind != "overfitting":  # which is marked as the turn of the validation loss
            chart = page.get_by_role("figure", name="Loss", exact=True)
            chart.get_by_test_id("in-words").get_by_text(title).wait_for()
    visit(page, server, f"/runs/{id_of(server, 'long')}?tab=alerts")
    page.get_by_text("No alerts").wait_for()
