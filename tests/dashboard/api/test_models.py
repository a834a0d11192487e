"""The dashboard asks a model what it writes and what goes on inside, through the real server and its worker process."""

import contextlib
import json
import math
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest
import torch
from support.commands import TINY, scalars, train_here
from support.server import Server, serving
from support.waiting import wait_for

from lab.inference.sampling import Sampling, generate
from lab.inspection import internals
from lab.interchange.pretrained import Pretrained, open_pretrained
from lab.model import GPTModel
from lab.parts import ModelConfig, build_model
from lab.tokenizer import Tokenizer

PROMPT = "The fox said to the miller"
VIEWS = ("attention", "activations", "logit-lens", "token-loss", "neighbors", "ablate")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    options = (*TINY, "trainer.max_steps=6", "save=true", "save_every=2", "optimizer.lr=1e-2", "log_every=1")
    assert train_here(root, *options, "hydra.run.dir=outputs/run").code == 0
    with serving(root) as server:
        yield server


@pytest.fixture(scope="module")
def run_id(client: httpx.Client) -> str:
    (run,) = client.get("/api/runs").json()
    return str(run["id"])


@pytest.fixture(scope="module")
def checkpoints(client: httpx.Client, run_id: str) -> dict[str, str]:
    """Ids by name."""
    return {c["name"]: c["id"] for c in client.get(f"/api/runs/{run_id}/checkpoints").json()}


def opened(server: Server, name: str) -> Pretrained:
    return open_pretrained(str(server.root / "outputs" / "run" / "checkpoints" / name), server.root)


def model_of(server: Server, name: str) -> GPTModel:
    return opened(server, name).model


def inspect(client: httpx.Client, view: str, checkpoint: str, **more: Any) -> dict[str, Any]:
    answer = client.post(f"/api/inspect/{view}", json={"checkpoint": checkpoint, "prompt": PROMPT, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def generated(client: httpx.Client, **how: Any) -> list[dict[str, Any]]:
    answer = client.post("/api/generate", json={"max_tokens": 8, **how})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]


def test_the_numbers_are_those_of_internals(server: Server, client: httpx.Client, checkpoints: dict[str, str]) -> None:
    for name in ("step-00000002.ckpt", "last.ckpt"):
        model, ids = model_of(server, name), torch.tensor(Tokenizer().encode(PROMPT))
        look = internals.look(model, ids, top_k=5)
        found = {view: inspect(client, view, checkpoints[name]) for view in VIEWS}
        assert [t["token_id"] for t in found["attention"]["tokens"]] == ids.tolist()
        maps = torch.tensor([h["weights"] for h in found["attention"]["heads"]]).view_as(look.attention)
        assert torch.allclose(maps, look.attention, atol=1e-6)
        assert torch.allclose(maps.sum(-1), torch.ones(()), atol=1e-5)
        assert maps.triu(diagonal=1).abs().max() == 0
        one = inspect(client, "attention", checkpoints[name], layer=1, head=0)["heads"]
        assert one == [h for h in found["attention"]["heads"] if (h["layer"], h["head"]) == (1, 0)]
        assert torch.allclose(torch.tensor(found["activations"]["residual_norms"]), look.residual_norms, atol=1e-6)
        for ours, theirs in zip(found["activations"]["layers"], look.layers, strict=True):
            assert ours["feed_forward"]["mean"] == pytest.approx(theirs.feed_forward.mean, abs=1e-6)
            assert ours["residual"]["counts"] == theirs.residual.counts.tolist()
            assert ours["dead_units"] == list(theirs.dead_units)
        cells = found["logit-lens"]["layers"]
        assert [[c["rank"] for c in row[:-1]] for row in cells] == look.logit_lens.ranks.tolist()
        shown = torch.tensor([[c["probability"] for c in row[:-1]] for row in cells])
        assert torch.allclose(shown, look.logit_lens.probabilities, atol=1e-6)
        losses = [p["loss"] for p in found["token-loss"]["positions"]]
        assert losses[-1] is None
        assert torch.allclose(torch.tensor(losses[:-1]), look.token_losses, atol=1e-6)
        assert found["token-loss"]["mean_loss"] == pytest.approx(look.token_losses.mean().item(), abs=1e-6)
        of = found["neighbors"]["of"][0]
        assert [(n["token_id"], n["similarity"]) for n in of["neighbors"]] == [
            (i, pytest.approx(s, abs=1e-6)) for i, s in internals.neighbors(model, of["token"]["token_id"], 5)
        ]
        changes = torch.tensor(found["ablate"]["loss_changes"])
        assert torch.allclose(changes, internals.ablate_heads(model, ids), atol=1e-6)


def test_two_checkpoints_are_two_answers_and_a_timeline_has_them_all(
    client: httpx.Client, run_id: str, checkpoints: dict[str, str]
) -> None:
    for view in VIEWS:
        answer = client.post("/api/inspect/timeline", json={"run": run_id, "view": view, "prompt": PROMPT})
        assert answer.status_code == 200, answer.text
        frames = answer.json()["frames"]
        assert [frame["step"] for frame in frames] == sorted({frame["step"] for frame in frames})
        assert {2, 4, 6} <= {frame["step"] for frame in frames}
        assert len({json.dumps(frame["result"]) for frame in frames}) == len(frames)
        for frame in frames:
            assert frame["result"] == inspect(client, view, frame["checkpoint"])
    few = {"run": run_id, "view": "ablate", "prompt": PROMPT, "frames": 2}
    steps = [f["step"] for f in client.post("/api/inspect/timeline", json=few).json()["frames"]]
    assert len(steps) == 2
    assert steps[-1] == 6


def test_what_is_written_is_what_the_lab_writes(
    server: Server, client: httpx.Client, checkpoints: dict[str, str]
) -> None:
    how = {"checkpoint": checkpoints["last.ckpt"], "prompt": "The fox", "temperature": 1.3, "top_k": 40, "seed": 5}
    start, *tokens, end = generated(client, **how)
    source, tokenizer = opened(server, "last.ckpt"), Tokenizer()
    model, among = source.model, source.occurring
    assert among is not None
    assert start["n_drawable"] == among.sum() < 10_000
    ids = tokenizer.encode("The fox")
    (expected,) = generate(model, [ids], 8, Sampling(1.3, 40), seed=5, among=among)
    assert [t["token_id"] for t in start["tokens"]] + end["token_ids"] == expected
    assert "".join(t["text"] for t in tokens) + end["rest"] == end["text"] == tokenizer.decode(expected[2:])
    with torch.no_grad():
        law = torch.log_softmax(model(torch.tensor([expected]))[0].double(), dim=-1)
    for place, token in enumerate(tokens, start=1):
        assert token["log_prob"] == pytest.approx(float(law[place, token["token_id"]]), abs=1e-4)
        assert token["probability"] == pytest.approx(math.exp(token["log_prob"]))
        drawable = law[place].masked_fill(~among, -torch.inf)
        assert [a["token_id"] for a in token["alternatives"]] == drawable.topk(8).indices.tolist()
    # Branching: the same beginning, one token exchanged.
    other = tokens[2]["alternatives"][0]["token_id"]
    prefix = [*(t["token_id"] for t in tokens[:2]), other]
    start, *_ = generated(client, **how, prefix=prefix)
    assert [t["token_id"] for t in start["tokens"]][-3:] == prefix
    start, *_, end = generated(client, **how | {"temperature": 9, "top_k": None}, all_tokens=True)
    assert start["n_drawable"] is None
    (free,) = generate(model, [ids], 8, Sampling(9), seed=5)
    assert ids + end["token_ids"] == free
    assert not among[free].all()


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"checkpoint": "nonsense"}, 404, "checkpoint"),
        ({"temperature": -1}, 422, "temperature"),
        ({"top_k": 0}, 422, "top_k"),
        ({"top_p": 1.5}, 422, "top_p"),
        ({"max_tokens": 10**9}, 422, "max_tokens"),
        ({"prefix": [60000]}, 422, None),
        ({"prompt": "x" * 100_000}, 413, "prompt"),
        ({"nonsense": 1}, 422, "nonsense"),
    ],
)
def test_mistakes(
    client: httpx.Client, checkpoints: dict[str, str], change: dict[str, Any], status: int, field: str | None
) -> None:
    answer = client.post("/api/generate", json={"checkpoint": checkpoints["last.ckpt"], "prompt": "a", **change})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["message"]


def test_a_hostile_checkpoint_is_refused(server: Server, client: httpx.Client, run_id: str) -> None:
    evidence = server.root / "executed"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {evidence}",)

    path = server.root / "outputs" / "run" / "checkpoints" / "evil.ckpt"
    torch.save({"lab": Payload()}, path)
    try:
        (evil,) = [c["id"] for c in client.get(f"/api/runs/{run_id}/checkpoints").json() if c["name"] == "evil.ckpt"]
        for path_ in ("/api/generate", "/api/inspect/attention"):
            answer = client.post(path_, json={"checkpoint": evil, "prompt": "a"})
            assert answer.status_code == 422
            assert "could run code" in answer.json()["error"]["message"]
        assert not evidence.exists()
    finally:
        path.unlink()


def test_a_checkpoint_is_exported_for_other_programs(
    server: Server, client: httpx.Client, checkpoints: dict[str, str]
) -> None:
    made = client.post(f"/api/checkpoints/{checkpoints['step-00000004.ckpt']}/export")
    assert made.status_code == 201, made.text
    found = open_pretrained(str(server.root / made.json()["path"]), server.root).model.state_dict()
    expected = model_of(server, "step-00000004.ckpt").state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert client.post(f"/api/checkpoints/{checkpoints['step-00000004.ckpt']}/export").status_code == 409


def test_a_long_prompt_is_cropped_and_that_is_told(client: httpx.Client, checkpoints: dict[str, str]) -> None:
    found = inspect(client, "token-loss", checkpoints["last.ckpt"], prompt=" one two three four" * 20)
    assert (len(found["tokens"]), found["cropped"]) == (16, 64)


def worker(server: Server) -> psutil.Process:
    """The process that runs models."""
    assert server.process is not None
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.Error):  # one that has just died
            if "spawn_main" in " ".join(child.cmdline()):
                return child
    raise AssertionError("there is no worker process")


def test_to_hang_up_stops_the_writing(server: Server, client: httpx.Client, checkpoints: dict[str, str]) -> None:
    how = {"checkpoint": checkpoints["last.ckpt"], "prompt": "a", "max_tokens": 2000, "alternatives": 50}
    with client.stream("POST", "/api/generate", json=how) as answer:
        next(answer.iter_text())
    busy = worker(server)
    # The worker turns to the next question at once, and after that it rests.
    assert len(generated(client, checkpoint=checkpoints["last.ckpt"], max_tokens=1)) == 3

    def rests() -> bool:
        before = sum(busy.cpu_times()[:2])
        busy.cpu_percent(0.5)
        return sum(busy.cpu_times()[:2]) - before < 0.05

    wait_for(rests)


def test_who_leaves_waits_no_longer(client: httpx.Client, checkpoints: dict[str, str]) -> None:
    """The queue is as long as four: three that nobody listens to any more would leave no room in it."""
    untrained = checkpoints["weights-00000000.ckpt"]  # whose likeliest token is the one before: it comes to no end
    how = {"checkpoint": untrained, "prompt": "a", "max_tokens": 2000, "alternatives": 50, "temperature": 0}
    asked = {"checkpoint": checkpoints["last.ckpt"], "prompt": PROMPT}
    with client.stream("POST", "/api/generate", json=how) as answer, ThreadPoolExecutor(1) as pool:
        text = answer.iter_text()
        next(text)  # the worker is busy with this
        for view in ("attention", "logit-lens", "token-loss"):
            with pytest.raises(httpx.ReadTimeout):
                client.post(f"/api/inspect/{view}", json=asked, timeout=httpx.Timeout(60, read=0.2))
        with pytest.raises(httpx.ReadTimeout):
            client.post("/api/generate", json=how | {"max_tokens": 1}, timeout=httpx.Timeout(60, read=0.2))
        found = pool.submit(client.post, "/api/inspect/neighbors", json=asked)
        answer.close()
        assert found.result().status_code == 200


@pytest.mark.slow
def test_too_many_at_once_are_told_so(client: httpx.Client, checkpoints: dict[str, str]) -> None:
    how = {"checkpoint": checkpoints["last.ckpt"], "prompt": "a", "max_tokens": 400}
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.post("/api/generate", json=how).status_code, range(10)))
        assert set(answers) == {200, 429}
        asked = [{"checkpoint": checkpoints["last.ckpt"], "prompt": "a" * (1 + number)} for number in range(10)]
        # Questions are short: they wait for each other.
        answers = list(pool.map(lambda one: client.post("/api/inspect/attention", json=one).status_code, asked))
        assert set(answers) == {200}
    assert client.get("/api/health").json()["worker"] is True


def test_a_worker_that_dies_is_replaced(server: Server, client: httpx.Client, checkpoints: dict[str, str]) -> None:
    how = {"checkpoint": checkpoints["last.ckpt"], "prompt": "a", "max_tokens": 2000}
    victim = worker(server)
    with client.stream("POST", "/api/generate", json=how) as answer:
        lines = answer.iter_lines()
        next(lines)
        victim.send_signal(signal.SIGKILL)
        last = [line for line in lines if line][-1]
    assert "died" in json.loads(last.removeprefix("data: "))["message"]
    assert len(generated(client, checkpoint=checkpoints["last.ckpt"], max_tokens=2)) == 4
    assert worker(server).pid != victim.pid


def test_what_would_come_of_the_options(server: Server, client: httpx.Client, run_id: str) -> None:
    text = {"corpus": "text", "corpus.path": "outputs/run/config.yaml", "optimizer.lr": -1}
    told = client.post("/api/config/resolve", json={"overrides": text}).json()["errors"]
    assert [e["field"] for e in told] == ["optimizer.lr"]
    given = {word.partition("=")[0]: word.partition("=")[2] for word in TINY}
    overrides: dict[str, Any] = {k: int(v) if v.isdecimal() else v for k, v in given.items()}
    overrides |= {"trainer.max_steps": 6, "save": True, "save_every": 2, "optimizer.lr": 1e-2, "log_every": 1}
    found = client.post("/api/config/resolve", json={"overrides": overrides}).json()
    assert found["errors"] == []
    with torch.device("meta"):
        model = build_model(ModelConfig(**found["config"]["model"]))
    assert found["sizes"]["parameters"] == model.num_parameters()
    rates = scalars(server.root / "outputs" / "run")["learning_rate"]
    curve = found["learning_rate"]
    assert dict(zip(curve["steps"], curve["values"], strict=True)) == pytest.approx(rates, rel=1e-6)
    assert found["length"]["total_steps"] == 6
    size = (server.root / "outputs" / "run" / "checkpoints" / "last.ckpt").stat().st_size
    assert found["sizes"]["checkpoint_bytes"] == pytest.approx(size, rel=0.05)
    wrong = {"optimizer.lr": -1, "model.emb_dim": "x", "model": "huge", "trainer.max_step": 3}
    told = {
        e["field"]: e["message"] for e in client.post("/api/config/resolve", json={"overrides": wrong}).json()["errors"]
    }
    assert told.keys() == wrong.keys()
    assert "did you mean trainer.max_steps?" in told["trainer.max_step"]
