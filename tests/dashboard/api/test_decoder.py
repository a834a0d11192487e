"""The decoder in a checkpoint, through the real server and its worker: what it is built of, and a token's way."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from support.commands import TINY, train_here
from support.server import Server, serving

from lab.inference.sampling import Sampling, generate
from lab.inspection import internals
from lab.inspection.walk import walk
from lab.interchange.pretrained import Pretrained, open_pretrained

PROMPT = "The fox said to the miller"
SAVING = ("trainer.max_steps=2", "save=true", "save_every=1", "optimizer.lr=1e-2")
PARTS = ("model.norm=rmsnorm", "model.position=rope", "model.qk_norm=true", "model.n_kv_heads=1")
OWN = '''
import torch


class Squeeze(torch.nn.Module):
    """A part without a last matrix."""

    def __init__(self, config):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(config.emb_dim))

    def forward(self, x):
        return torch.tanh(x) * self.gain
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    (root / "mine.py").write_text(OWN)
    for name, words in {"gpt2": (), "qwen": PARTS, "own": ("model.feed_forward=mine.py:Squeeze",)}.items():
        done = train_here(root, *TINY, *SAVING, *words, f"hydra.run.dir=outputs/{name}")
        assert done.code == 0, done.err
    with serving(root) as server:
        yield server


def checkpoints(client: httpx.Client, run: str) -> dict[str, str]:
    """Ids by name."""
    (run_id,) = [one["id"] for one in client.get("/api/runs").json() if one["path"] == f"outputs/{run}"]
    return {one["name"]: one["id"] for one in client.get(f"/api/runs/{run_id}/checkpoints").json()}


def opened(server: Server, run: str, name: str) -> Pretrained:
    return open_pretrained(str(server.root / "outputs" / run / "checkpoints" / name), server.root)


def follow(client: httpx.Client, checkpoint: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/inspect/walk", json={"checkpoint": checkpoint, "prompt": PROMPT, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("run", ["gpt2", "qwen"])
def test_what_is_told_is_what_the_model_computes(server: Server, client: httpx.Client, run: str) -> None:
    found = checkpoints(client, run)
    assert len(found) >= 2
    for name, checkpoint in found.items():
        source = opened(server, run, name)
        ids = torch.tensor(source.tokenizer.encode(PROMPT))
        told = follow(client, checkpoint, layer=1, head=1, position=3)
        expected = walk(source.model, ids, layer=1, head=1, position=3)
        assert expected.attention is not None
        assert [token["token_id"] for token in told["tokens"]] == ids.tolist()
        assert told["next"] == told["tokens"][4]
        steps = told["attention"]
        for field in ("query", "keys", "values", "products", "scores", "weights", "context"):
            shown, own = torch.tensor(steps[field]).double(), getattr(expected.attention, field)
            torch.testing.assert_close(shown, own, rtol=1e-5, atol=1e-7)
        assert steps["visible"] == [True] * 4 + [False] * (len(ids) - 4)
        stages = ["projected"] if run == "gpt2" else ["projected", "normed", "turned"]
        assert [stage["name"] for stage in steps["stages"]] == stages
        assert steps["key_head"] == (1 if run == "gpt2" else 0)
        maps = internals.look(source.model, ids).attention
        torch.testing.assert_close(torch.tensor(steps["weights"]), maps[1, 1, 3], rtol=1e-5, atol=1e-7)
        assert told["block_after"]["norm"] == pytest.approx(expected.block_after.norm, rel=1e-5)
        with torch.no_grad():
            law = torch.log_softmax(source.model(ids[None])[0, 3].double(), dim=-1)
        top = law.topk(8)
        assert [one["token_id"] for one in told["candidates"]] == top.indices.tolist()
        for one, log_probability in zip(told["candidates"], top.values.tolist(), strict=True):
            assert one["logit"] - told["log_sum"] == pytest.approx(log_probability, abs=1e-5)
    assert follow(client, checkpoint, position=99)["position"] == len(ids) - 1
    assert follow(client, checkpoint)["next"] is None


def test_two_checkpoints_take_different_ways(client: httpx.Client) -> None:
    first, second = (follow(client, checkpoints(client, "gpt2")[f"step-0000000{step}.ckpt"]) for step in (1, 2))
    assert first["attention"]["query"] != second["attention"]["query"]
    assert first["candidates"] != second["candidates"]


def test_what_a_model_is_built_of(server: Server, client: httpx.Client) -> None:
    for run in ("gpt2", "qwen"):
        model = opened(server, run, "last.ckpt").model
        told = client.get(f"/api/checkpoints/{checkpoints(client, run)['last.ckpt']}/structure").json()
        assert (told["n_layers"], told["emb_dim"], told["head_dim"], told["hidden_dim"]) == (2, 32, 16, 128)
        assert told["total"] == model.num_parameters()
        shapes = {one["name"]: one["shape"] for one in told["parameters"]}
        block: Any = model.blocks[1]
        assert shapes["blocks.*.attention.qkv.weight"] == list(block.attention.qkv.weight.shape)
        assert "head.weight" not in shapes
        assert told["own"] == []
        plain = ("layernorm", "learned", False, 2) if run == "gpt2" else ("rmsnorm", "rope", True, 1)
        assert (told["norm"], told["position"], told["qk_norm"], told["n_kv_heads"]) == plain


def test_a_model_with_code_of_ones_own_is_drawn_and_not_run(client: httpx.Client) -> None:
    checkpoint = checkpoints(client, "own")["last.ckpt"]
    answer = client.get(f"/api/checkpoints/{checkpoint}/structure")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["own"] == ["feed_forward"]
    assert Path(told["feed_forward"]).name == "mine.py:Squeeze"
    assert told["hidden_dim"] is None
    assert {"name": "blocks.*.feed_forward.gain", "shape": [32]} in told["parameters"]
    assert told["n_layers"] == 2
    answer = client.post("/api/inspect/walk", json={"checkpoint": checkpoint, "prompt": PROMPT})
    assert answer.status_code == 422
    assert "parts=" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"layer": 2}, 422, "no layer 2: they go from 0 to 1"),
        ({"head": 2}, 422, "no head 2: they go from 0 to 1"),
        ({"position": -1}, 422, "position"),
        ({"prompt": "x" * 30_000}, 413, "20,000 are the most"),
        ({"checkpoint": "nonsense"}, 404, "no checkpoint"),
    ],
)
def test_mistakes(client: httpx.Client, change: dict[str, Any], status: int, said: str) -> None:
    asked = {"checkpoint": checkpoints(client, "gpt2")["last.ckpt"], "prompt": PROMPT, **change}
    answer = client.post("/api/inspect/walk", json=asked)
    assert answer.status_code == status, answer.text
    assert said in answer.text


def test_the_text_with_and_without_a_head(server: Server, client: httpx.Client) -> None:
    """Against the same model with the head's columns, or its layer, taken out of the weights."""
    checkpoint = checkpoints(client, "gpt2")["last.ckpt"]
    whole = opened(server, "gpt2", "last.ckpt")
    ids = whole.tokenizer.encode(PROMPT)
    for head, temperature in ((1, 0.0), (None, 0.0), (None, 1.2)):
        model = copy.deepcopy(whole.model)
        if head is None:
            del model.blocks[1]
        else:
            with torch.no_grad():
                block: Any = model.blocks[1]
                block.attention.project.weight[:, 16:] = 0
        asked = {"checkpoint": checkpoint, "prompt": PROMPT, "layer": 1, "head": head, "max_tokens": 8}
        asked |= {"temperature": temperature, "seed": 5}
        answer = client.post("/api/inspect/without", json=asked)
        assert answer.status_code == 200, answer.text
        assert client.post("/api/inspect/without", json=asked).json() == answer.json()
        told = answer.json()
        written = {}
        for name, one in (("whole", whole.model), ("without", model)):
            (text,) = generate(one, [ids], 8, Sampling(temperature), seed=5, among=whole.occurring)
            written[name] = [token["token_id"] for token in told[name]["tokens"]]
            assert ids + written[name] == text
            loss = one.loss(torch.tensor([ids[:-1]]), torch.tensor([ids[1:]])).item()
            assert told[name]["loss"] == pytest.approx(loss, abs=1e-5)
        differing = [at for at in range(8) if written["whole"][at] != written["without"][at]]
        assert told["first_difference"] == (differing[0] if differing else None)
    refused = client.post("/api/inspect/without", json=asked | {"layer": 2})
    assert (refused.status_code, "no layer 2" in refused.text) == (422, True)
    assert client.post("/api/inspect/without", json=asked | {"max_tokens": 500}).status_code == 422


def test_an_answer_has_its_limits() -> None:
    from lab.dashboard.worker.walk import WalkQuestion, follow
    from lab.parts import ModelConfig
    from lab.parts.build import outline
    from lab.tokenizer import Tokenizer

    model = outline(ModelConfig(emb_dim=1024, n_layers=1, n_heads=1, context_length=64))
    question = WalkQuestion(" fox" * 60, 256, 0, 0, None)
    with pytest.raises(ValueError, match=r"60 tokens are 122,880 numbers, and 100,000 are the most"):
        follow(model, Tokenizer(), question)
