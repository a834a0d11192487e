"""A run that logs fast is followed, and the page keeps up."""

import json
import statistics
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.page import NEEDS_PAGE, visit
from support.server import serving

from lab.files.run_files import EVENTS_FILE

pytestmark = NEEDS_PAGE


def test_many_points_at_twenty_updates_a_second(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    """Prints how long frames take; the figure is for people, a machine without a GPU proves nothing."""
    folders = [tmp_path / "outputs" / f"run-{number}" for number in range(10)]
    for folder in folders:
        folder.mkdir(parents=True)
        with (folder / EVENTS_FILE).open("w") as file:
            for step in range(100_000):
                line = {
                    "seq": step,
                    "time": 1.8e9 + step,
                    "kind": "metrics",
                    "step": step,
                    "train_loss": 9 / (1 + step / 9e3),
                }
                file.write(json.dumps(line) + "\n")
    done = threading.Event()

    def write() -> None:
        step = 100_000
        while not done.wait(0.05):
            for folder in folders:
                line = {"seq": step, "time": 1.8e9 + step, "kind": "metrics", "step": step, "train_loss": 0.5}
                with (folder / EVENTS_FILE).open("a") as file:
                    file.write(json.dumps(line) + "\n")
            step += 1

    with serving(tmp_path) as server, server.client() as client:
        ids = [found["id"] for found in client.get("/api/runs").json()]
        page = open_page(server, 1440)
        visit(page, server, f"/compare?runs={','.join(ids)}")
        page.locator("canvas").first.wait_for()
        page.wait_for_timeout(3000)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            found = page.evaluate(
                """() => new Promise((resolve) => {
                    const frames = [], long = [];
                    new PerformanceObserver((list) => list.getEntries().forEach((e) => long.push(e.duration)))
                      .observe({ type: 'longtask' });
                    let last = performance.now(); const end = last + 8000;
                    const tick = (now) => {
                      frames.push(now - last); last = now;
                      now < end ? requestAnimationFrame(tick) : resolve([frames, long]);
                    };
                    requestAnimationFrame(tick);
                })"""
            )
        finally:
            done.set()
            writer.join()
    frames, long = found
    percentiles = statistics.quantiles(frames, n=100)
    print(
        f"frames: median {percentiles[49]:.0f} ms, 95% under {percentiles[94]:.0f} ms, 99% under "
        f"{percentiles[98]:.0f} ms; "
        f"{len(long)} long tasks in {sum(frames) / 1000:.0f} s, the longest {max(long, default=0):.0f} ms"
    )
    assert len(frames) > 10
