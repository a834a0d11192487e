"""Pages of a list of runs, over the network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.run_folders import write_run
from support.server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    for number in range(12):
        options = {"optimizer": {"lr": [1e-3, 3e-3][number % 2]}, "model": {"n_layers": 2}, "name": "typed"}
        write_run(
            root / "outputs" / "day" / f"r{number:02}", [5.0, 4.0 - number / 10], seed=number // 2, options=options
        )
    checkpoints = root / "outputs" / "day" / "r03" / "checkpoints"
    checkpoints.mkdir()
    for name in ("a.ckpt", "b.ckpt", ".c.ckpt", "notes.txt"):
        (checkpoints / name).write_bytes(b"")
    with serving(root) as server:
        yield server


def asked(client: httpx.Client, **params: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    answer = client.get("/api/runs", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json(), dict(answer.headers)


def test_a_page_of_what_fits(server: Server, client: httpx.Client) -> None:
    params = {"q": "lr=3e-3 n_layers<3", "sort": "best_val_loss", "descending": False, "columns": "lr,seed,nothing"}
    rows, headers = asked(client, **params, offset=1, limit=3)
    assert [Path(row["path"]).name for row in rows] == ["r09", "r07", "r05"]
    assert [headers[f"x-{what}-count"] for what in ("total", "read", "matching")] == ["12", "12", "6"]
    assert rows[0]["columns"] == {"lr": 3e-3, "seed": 4, "nothing": None}
    whole, _ = asked(client)
    assert asked(client, offset=2, limit=5)[0] == whole[2:7]
    named, headers = asked(client, ids=f"{whole[3]['id']},nope")
    assert [row["id"] for row in named] == [whole[3]["id"]]
    nothing, headers = asked(client, q="lrr=1 \u00fc=2")
    assert (nothing, headers["x-unknown-names"]) == ([], "lrr")


def test_runs_with_checkpoints(server: Server, client: httpx.Client) -> None:
    (row,), headers = asked(client, q="checkpoints>0")
    assert (row["checkpoints"], Path(row["path"]).name, headers["x-matching-count"]) == (2, "r03", "1")
    (server.root / row["path"] / "checkpoints" / "b.ckpt").unlink()
    assert asked(client, q="checkpoints>0")[0][0]["checkpoints"] == 1


def test_groups_and_columns(server: Server, client: httpx.Client) -> None:
    answer = client.get("/api/runs/groups", params={"by": "*", "q": "r"})
    groups = answer.json()
    assert [(group["options"], group["count"], group["seeds"]) for group in groups] == [
        ({"optimizer.lr": 3e-3}, 6, 6),
        ({"optimizer.lr": 1e-3}, 6, 6),
    ]
    assert groups[0]["mean"] == pytest.approx(sum(4.0 - n / 10 for n in range(1, 12, 2)) / 6)
    columns = {column["name"]: column for column in client.get("/api/runs/columns").json()}
    assert columns["optimizer.lr"] == {"name": "optimizer.lr", "kind": "option", "varied": True}
    assert not columns["model.n_layers"]["varied"]
    assert columns["best_val_loss"]["kind"] == "figure"
