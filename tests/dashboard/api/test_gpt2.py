"""GPT-2 beside one's own model: from a cache on this machine, with the network forbidden."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from support.hub_cache import put_gpt2
from support.server import Server, serving

from lab.inference.sampling import Sampling, generate
from lab.interchange.pretrained import open_pretrained


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small GPT-2 with random weights, in a cache."""
    return put_gpt2(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, snapshot: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(snapshot.parents[3]))
        patch.setenv("HF_HUB_OFFLINE", "1")
        with serving(tmp_path_factory.mktemp("root")) as server:
            yield server


def test_it_writes_what_its_weights_write(client: httpx.Client, snapshot: Path) -> None:
    assert client.get("/api/gpt2").json()["names"] == ["gpt2"]
    how: dict[str, Any] = {"checkpoint": "gpt2", "prompt": "The fox", "max_tokens": 6, "temperature": 1, "seed": 3}
    answer = client.post("/api/generate", json=how | {"alternatives": 4})
    assert answer.status_code == 200, answer.text
    _, *tokens, end = (json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line)
    source = open_pretrained(str(snapshot), snapshot)
    ids = source.tokenizer.encode("The fox")
    (expected,) = generate(source.model, [ids], 6, Sampling(1, 50), seed=3)
    assert ids + end["token_ids"] == expected
    with torch.no_grad():
        law = torch.softmax(source.model(torch.tensor([ids]))[0, -1].double(), dim=-1).topk(4)
    assert [one["token_id"] for one in tokens[0]["alternatives"]] == law.indices.tolist()
    shares = [one["probability"] for one in tokens[0]["alternatives"]]
    assert shares == pytest.approx(law.values.tolist(), rel=1e-4)


def test_it_can_be_looked_into_as_ones_own(client: httpx.Client) -> None:
    answer = client.post("/api/inspect/walk", json={"checkpoint": "gpt2", "prompt": "The fox"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["attention"]["weights"][0] > 0


def test_where_it_is_not_one_sentence_says_how_to_fetch_it(client: httpx.Client) -> None:
    answer = client.post("/api/generate", json={"checkpoint": "gpt2-xl", "prompt": "The fox"})
    assert answer.status_code == 404
    told = answer.json()["error"]["message"]
    assert "gpt2-xl are not on this machine" in told
    assert "python -m lab.generate checkpoint=gpt2" in told
