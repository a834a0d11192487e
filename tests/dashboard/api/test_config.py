"""The form and its options, texts of ones own, and tokens."""

from pathlib import Path

import httpx
from support.server import Server

from lab.tokenizer import Tokenizer


def test_the_form_knows_every_option(client: httpx.Client) -> None:
    from lab.config.choices import group_choices, group_names
    from lab.config.groups import option_names

    found = client.get("/api/config").json()
    options = {o["name"]: o for o in found["options"]}
    expected = {
        o for o in option_names() if o not in group_names() and "." in o and not o.startswith(("logger", "callb"))
    }
    assert expected <= options.keys()
    assert options["optimizer.lr"] | {"description": ""} == {
        "name": "optimizer.lr",
        "group": "optimizer",
        "type": "number",
        "optional": False,
        "default": 3e-4,
        "low": 0,
        "high": None,
        "low_open": True,
        "high_open": False,
        "choices": None,
        "description": "",
        "allowed": True,
        "sweepable": True,
    }
    assert options["schedule.name"]["choices"] == ["constant", "cosine", "wsd"]
    assert not options["resume"]["allowed"]
    groups = {g["name"]: [c["name"] for c in g["choices"]] for g in found["groups"]}
    assert groups["model"] == group_choices("model")
    assert "wandb" not in groups["logger"]


def test_texts_are_uploaded_and_trained_on(server: Server, client: httpx.Client) -> None:
    text = "".join(f"On day {i} the fox came to the mill. ü🦊\n" for i in range(60))
    new = {"name": "my tale", "text": text}
    made = client.post("/api/corpora", json=new)
    assert made.status_code == 201, made.text
    assert client.post("/api/corpora", json=new).status_code == 409
    assert client.post("/api/corpora", json=new | {"replace": True}).status_code == 201
    assert client.post("/api/corpora", json={"name": "zero", "text": "a\0b"}).status_code == 422
    (listed,) = [c for c in client.get("/api/corpora").json() if c["source"] == "upload"]
    assert Path(server.root / listed["overrides"]["corpus.path"]).read_text(encoding="utf-8") == text
    overrides = {**listed["overrides"], "model.context_length": 16}
    found = client.post("/api/config/resolve", json={"overrides": overrides}).json()
    assert found["errors"] == []
    assert found["length"]["corpus_tokens"] == len(Tokenizer().encode(text))
    assert client.delete("/api/corpora/my tale").status_code == 204
    assert client.delete("/api/corpora/my tale").status_code == 404
    tokens = client.post("/api/tokenize", json={"text": "Hi 🦊!"}).json()
    assert [t["token_id"] for t in tokens["tokens"]] == Tokenizer().encode("Hi 🦊!")
    assert b"".join(bytes.fromhex(t["bytes"]) for t in tokens["tokens"]) == "Hi 🦊!".encode()
    assert tokens["vocab_size"] == 50257
    assert tokens["merges"][2] == {"left": "h", "right": "e"}


def test_the_form_offers_tokenizers_but_no_file_of_one(client: httpx.Client) -> None:
    found = client.get("/api/config").json()
    (group,) = [group for group in found["groups"] if group["name"] == "tokenizer"]
    assert [choice["name"] for choice in group["choices"]] == ["bpe", "bytes", "chars", "gpt2"]
    allowed = {option["name"]: option["allowed"] for option in found["options"]}
    assert allowed["tokenizer.vocab_size"]
    assert not allowed["tokenizer.path"]
    refused = client.post("/api/config/resolve", json={"overrides": {"tokenizer.path": "/etc/passwd"}}).json()
    assert "tokenizer.path cannot be given here" in refused["errors"][0]["message"]


def test_a_text_in_another_tokenizer_and_how_long_a_run_it_makes(client: httpx.Client) -> None:
    question = {"text": "The fox", "tokenizer": "bpe", "vocab_size": 512}
    tokens = client.post("/api/tokenize", json=question).json()
    assert tokens["vocab_size"] == 512
    assert bytes.fromhex("".join(token["bytes"] for token in tokens["tokens"])) == b"The fox"
    found = client.post("/api/config/resolve", json={"overrides": {"tokenizer": "bytes"}}).json()
    assert found["errors"] == []
    assert found["config"]["model"]["vocab_size"] == 257
    assert (found["length"]["corpus_tokens"], found["length"]["exact"]) == (217_951, True)
