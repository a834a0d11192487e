"""Models by name: from a prepared cache without a network, from a hub of our own, and when there is neither."""

import contextlib
import hashlib
import http.server
import json
import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from support.commands import TINY, lab, train_here
from support.hub_cache import COMMIT
from support.hub_cache import put as cache

from lab import export
from lab.errors import LabError
from lab.interchange import hf_tokenizer, hub, huggingface, weights
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTConfig, GPTModel


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as somebody would publish it, with TINY's shape."""
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(5)
    huggingface.write_model(GPTModel(GPTConfig(emb_dim=32, n_layers=2, n_heads=2, context_length=16)), folder)
    hf_tokenizer.write(folder, 16)
    (folder / "pytorch_model.bin").write_bytes(b"never opened")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for this process, with the network forbidden."""
    from huggingface_hub import constants

    folder = tmp_path / "home"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


@pytest.mark.parametrize(
    ("cached_as", "wanted"),
    [("gpt2", "gpt2"), ("openai-community/gpt2", "gpt2"), ("somebody/small.gpt-2", "somebody/small.gpt-2")],
)
def test_a_name_in_the_cache_opens_without_a_network(cached_as: str, wanted: str, published: Path, home: Path) -> None:
    cache(home, cached_as, published)
    found = open_pretrained(wanted, home)
    token_ids = torch.arange(16)[None]
    assert torch.equal(found.model(token_ids), huggingface.open_folder(published)(token_ids))
    assert (found.source, found.metadata) == (wanted, None)


def test_fine_tuning_by_name_from_a_prepared_cache(published: Path, home: Path, tmp_path: Path) -> None:
    cache(home, "gpt2", published)
    done = train_here(tmp_path, *TINY, "init_from=gpt2", "trainer.max_steps=1")
    assert done.code == 0, done.err
    assert re.search(r"weights +those of gpt2", done.out)
    # Another model's options: a sentence with the sizes that fit.
    done = train_here(tmp_path, "model=medium", "init_from=gpt2")
    assert done.code == 1
    assert "model.n_layers is 12 and there 2" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_what_exists_as_a_path_is_a_path(published: Path, home: Path) -> None:
    (home / "gpt2").mkdir(parents=True)
    cache(home, "gpt2", published)
    with pytest.raises(LabError, match="no usable checkpoint"):
        open_pretrained("gpt2", home)
    # A mistyped path is no name: nothing is asked for over the network.
    (home / "outputs").mkdir()
    for typed in ("outputs/2026", "runs/last.ckpt", "a/b/c", "gpt3", "../x", "/x/y", "a b/c", "x/y.safetensors", "~/x"):
        with pytest.raises(LabError, match="there is no such file or folder"):
            open_pretrained(typed, home)


def test_an_empty_cache_without_a_network_is_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LabError) as told:
        open_pretrained("gpt2", home, "init_from")
    assert "init_from=gpt2 is not in the cache" in str(told.value)
    assert "HF_HUB_OFFLINE is set" in str(told.value)
    assert capsys.readouterr().err == ""  # it does not claim to be fetching


def test_half_a_model_in_the_cache_is_none(published: Path, home: Path) -> None:
    cache(home, "gpt2", published, ("config.json",))
    with pytest.raises(LabError, match="is not in the cache"):
        open_pretrained("gpt2", home)
    cache(home, "gpt2-xl", published, ("config.json", "pytorch_model.bin"))
    with pytest.raises(LabError, match="is not in the cache"):
        open_pretrained("gpt2-xl", home)


def test_without_the_library_it_says_which(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(LabError, match="`pip install huggingface_hub`"):
        open_pretrained("gpt2", home)


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a hub as is asked of it: which commit, which files, and the files."""

    models: ClassVar[dict[str, Path]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"] and len(parts) >= 3 and (folder := self.models.get(parts[2])):
            if "tree" in parts:
                tree = [
                    {"type": "file", "path": p.name, "size": p.stat().st_size, "oid": COMMIT} for p in folder.iterdir()
                ]
                return self.answer(json.dumps(tree).encode())
            return self.answer(json.dumps({"id": parts[2], "sha": COMMIT, "siblings": []}).encode())
        if len(parts) == 4 and parts[1] == "resolve" and (folder := self.models.get(parts[0])):
            return self.answer((folder / parts[3]).read_bytes())
        return self.answer(b'{"error": "Repository not found"}', 404, {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def answer(self, content: bytes, code: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        facts = {"Content-Length": str(len(content)), "X-Repo-Commit": COMMIT, "Content-Type": "application/json"}
        facts["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
        for name, value in (facts | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def own_hub(published: Path) -> Iterator[str]:
    Hub.models, Hub.asked = {"gpt2": published}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_a_name_is_fetched_once_and_then_never_again(own_hub: str, published: Path, tmp_path: Path) -> None:
    env = {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": own_hub, "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
    arguments = ("checkpoint=gpt2", "prompt=The fox", "max_tokens=3", "temperature=0")
    first = lab(tmp_path, "generate", *arguments, env=env)
    assert first.code == 0, first.err
    assert first.out.startswith("The fox")
    assert f"fetching gpt2 into {tmp_path / 'home'}" in first.err
    assert any("model.safetensors" in path for path in Hub.asked)
    assert not any("pytorch_model.bin" in path for path in Hub.asked)
    Hub.asked.clear()
    again = lab(tmp_path, "generate", *arguments, env=env)
    assert (again.code, again.out, again.err) == (0, first.out, "")
    assert Hub.asked == []
    unknown = lab(tmp_path, "generate", "checkpoint=nobody/nothing", env=env)
    assert unknown.code == 1
    assert "the hub knows no model of that name" in unknown.err.splitlines()[-1]


@pytest.mark.parametrize("silent", [False, True])
def test_a_hub_that_is_not_there(silent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused at once, or accepted and never answered: neither is waited for for ever."""
    from huggingface_hub import constants

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if silent:
            listener.listen()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub, "_PATIENCE", 0.5)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(LabError, match=r"is not in the cache .* and could not be fetched") as told:
            hub.find("gpt2")
    assert "\n" not in str(told.value)


PADDED = 50304


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("tokenizer", [True, False])
def test_rows_that_pad_a_vocabulary_are_left_out(
    tied: bool, tokenizer: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As nanoGPT pads it: GPT-2's words, and rows above that no text ever trained or asks for."""
    torch.manual_seed(6)
    shape = GPTConfig(
        emb_dim=32, n_layers=2, n_heads=2, context_length=16, vocab_size=PADDED, tie_embeddings=tied, drop_rate=0.0
    )
    padded = GPTModel(shape).eval()
    with torch.no_grad():
        padded.head.weight[50257:] = 100 * padded.head.weight[:47]  # they would win
    huggingface.write_model(padded, tmp_path)
    if tokenizer:
        hf_tokenizer.write(tmp_path, 16)
    found = open_pretrained(str(tmp_path), tmp_path).model
    assert "the last 47 are padding" in capsys.readouterr().err
    assert (found.config.vocab_size, found.config.tie_embeddings) == (50257, tied)
    assert (found.head.weight is found.token_embedding.weight) == tied
    token_ids = torch.arange(16)[None]
    assert torch.equal(found(token_ids), padded(token_ids)[..., :50257])

    from lab import generate

    weights.write_model(padded, tmp_path / "padded.safetensors")
    export.export(export.Options(checkpoint=str(tmp_path), to=str(tmp_path / "out")), tmp_path)
    assert json.loads((tmp_path / "out" / "config.json").read_text())["vocab_size"] == 50257
    capsys.readouterr()
    for checkpoint in (tmp_path, tmp_path / "padded.safetensors", tmp_path / "out"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["", f"checkpoint={checkpoint}", "prompt=The fox", "max_tokens=8", "seed=1"])
            with contextlib.suppress(SystemExit):
                generate.main()
        assert capsys.readouterr().out.startswith("The fox")
    done = train_here(tmp_path, *TINY, f"init_from={tmp_path}", f"model.tie_embeddings={tied}", "trainer.max_steps=1")
    assert done.code == 0, done.err


def test_a_row_that_has_a_token_is_no_padding(tmp_path: Path) -> None:
    huggingface.write_model(GPTModel(GPTConfig(emb_dim=8, n_layers=1, n_heads=1, vocab_size=PADDED)), tmp_path)
    hf_tokenizer.write(tmp_path, 16)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    content["added_tokens"].append({"id": 50257, "content": "[PAD]"})
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(LabError, match="a vocabulary of 50,304 tokens"):
        open_pretrained(str(tmp_path), tmp_path)
    for file in ("tokenizer.json", "vocab.json"):
        (tmp_path / file).unlink()
    shape = GPTConfig(emb_dim=8, n_layers=1, n_heads=1, vocab_size=50300)
    huggingface.write_model(GPTModel(shape), tmp_path)  # no round number: whose words would these be?
    with pytest.raises(LabError, match="a vocabulary of 50,300 tokens"):
        open_pretrained(str(tmp_path), tmp_path)
