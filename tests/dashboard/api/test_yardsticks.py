"""How a run's curves are to be read, against run folders whose figures are known."""

import json
import math
from collections.abc import Iterator

import httpx
import pytest
from support.curves import troubled
from support.run_folders import LN2, write_curves, write_run
from support.server import Server, serving

from lab.runs.events import EventLog

BOWL = [9.0, 6.0, 4.0, 3.0, 3.2, 3.4, 3.6, 3.8]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    vocabulary = {"model": {"vocab_size": 1000}}
    folder = write_run(root / "outputs" / "known", BOWL, options=vocabulary)
    told = {"guessing_loss": math.log(1000), "unigram_val_loss": 5.5, "floor_loss": 2.5, "training_tokens": 777}
    (folder / "yardsticks.json").write_text(json.dumps(told))
    old = write_run(root / "outputs" / "old", [9.0, 6.0, 5.0], options=vocabulary)
    results = json.loads((old / "results.json").read_text())
    (old / "results.json").write_text(json.dumps(results | {"unigram_val_loss": 5.25}))
    damaged = write_run(root / "outputs" / "damaged", [], options={"model": {"vocab_size": "many"}})
    (damaged / "yardsticks.json").write_text('{"guessing_loss": "NaN", "training_tokens": -1}')
    for kind, (losses, norms, evaluations) in troubled().items():
        write_curves(root / "outputs" / kind, losses, norms=norms, evaluations=evaluations)
    losses, _, _ = troubled()["stalled"]
    log = EventLog(write_curves(root / "outputs" / "told", losses))
    log.alert(60, "loss_spike", "it has told of something else")
    log.close()
    write_curves(root / "outputs" / "going-on", losses, state="running")
    with serving(root) as server:
        yield server


def readings(client: httpx.Client, name: str) -> dict[str, object]:
    (run_id,) = [one["id"] for one in client.get("/api/runs").json() if one["path"] == f"outputs/{name}"]
    answer = client.get(f"/api/runs/{run_id}/readings")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_levels_and_the_turning_point(client: httpx.Client) -> None:
    found = readings(client, "known")
    assert found["rises_since"] == 30
    assert found["training_tokens"] == 777
    levels = found["levels"]
    assert isinstance(levels, list)
    assert [(one["name"], one["loss"]) for one in levels] == [
        ("guessing", pytest.approx(math.log(1000))),
        ("single_tokens", 5.5),
        ("best_possible", 2.5),
    ]
    # A token of this text is four bytes.
    assert [one["bits_per_byte"] for one in levels] == pytest.approx([one["loss"] / LN2 / 4 for one in levels])


def test_an_older_run_tells_what_its_results_and_options_know(client: httpx.Client) -> None:
    found = readings(client, "old")
    levels = found["levels"]
    assert isinstance(levels, list)
    assert [one["name"] for one in levels] == ["guessing", "single_tokens"]
    assert (levels[1]["loss"], found["rises_since"], found["training_tokens"]) == (5.25, None, None)


def test_the_figures_of_a_run_that_told_no_alerts_are_judged(client: httpx.Client) -> None:
    """As they would have been while it trained. One that told of some, or that goes on, is its own judge."""
    for kind in troubled():
        found = readings(client, kind)["alerts"]
        assert isinstance(found, list)
        assert [one["what"] for one in found] == [kind]
        assert found[0]["since"] <= found[0]["step"] <= 260
        assert "try " in found[0]["advice"]
    assert readings(client, "told")["alerts"] == readings(client, "known")["alerts"] == []
    assert readings(client, "going-on")["alerts"] == []


def test_damaged_files_tell_nothing(client: httpx.Client) -> None:
    assert readings(client, "damaged") | {"run": ""} == {
        "run": "",
        "levels": [],
        "rises_since": None,
        "training_tokens": None,
        "alerts": [],
    }
    assert client.get("/api/runs/0123456789abcdef/readings").status_code == 404
