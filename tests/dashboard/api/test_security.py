"""The dashboard's server under attack: from another page of the same browser, from a hostile folder, from a crowd."""

import contextlib
import http.client
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st
from support.server import OVERRIDES, Server, serving, talk, write_run

from lab.files.run_files import EVENTS_FILE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    write_run(root / "outputs" / "one", 300)
    with serving(root) as server:
        yield server


def ask(server: Server, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """A request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Host": f"127.0.0.1:{server.port}", **names}.items():
        if value:
            connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_only_who_has_the_token_is_answered(server: Server) -> None:
    bearer = f"Bearer {server.token}"
    assert ask(server, "GET", "/api/runs")[0] == 401
    assert ask(server, "GET", "/api/runs", Authorization="Bearer wrong")[0] == 401
    assert ask(server, "GET", "/api/runs", Authorization=f"Basic {server.token}")[0] == 401
    assert ask(server, "GET", "/api/runs", Cookie=f"lab_token_{server.port}=wrong")[0] == 401
    assert ask(server, "GET", "/api/runs", Authorization=bearer)[0] == 200
    assert ask(server, "GET", "/api/docs")[0] == 401
    assert ask(server, "GET", "/api/openapi.json")[0] == 401
    assert ask(server, "GET", "/api/health")[0] == 200
    assert os.stat(server.root / "outputs" / ".dashboard-token").st_mode & 0o077 == 0


def test_the_link_becomes_a_cookie_that_no_script_and_no_other_site_gets(server: Server) -> None:
    with httpx.Client(trust_env=False) as browser:
        answer = browser.get(server.link)
        assert answer.status_code == 303
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "token" not in answer.headers["location"]
        assert browser.get(f"{server.url}/api/runs").status_code == 200
        page = browser.get(f"{server.url}/")
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "access-control-allow-origin" not in page.headers
        assert browser.get(f"{server.url}//evil.example/?token={server.token}").headers["location"][:2] == "/e"
    assert ask(server, "GET", "/?token=wrong")[0] == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1.evil.example:PORT", "127.0.0.1:1", ""]
)
def test_a_name_that_was_pointed_here_is_refused(server: Server, host: str) -> None:
    host = host.replace("PORT", str(server.port))
    bearer = f"Bearer {server.token}"
    assert ask(server, "GET", "/api/health", Host=host)[0] in (400, 403)
    assert ask(server, "GET", "/api/runs", Host=host, Authorization=bearer)[0] in (400, 403)
    assert ask(server, "GET", "/", Host=host)[0] in (400, 403)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost.evil.example"]
)
def test_another_site_is_refused(server: Server, origin: str) -> None:
    bearer = f"Bearer {server.token}"
    assert ask(server, "GET", "/api/runs", Origin=origin, Authorization=bearer)[0] == 403
    assert ask(server, "POST", "/api/train", b"{}", Origin=origin, Authorization=bearer, X_Lab="1")[0] == 403

    async def connect() -> None:
        async with websockets.connect(
            f"ws://127.0.0.1:{server.port}/api/ws",
            additional_headers={"Authorization": bearer, "Origin": origin},
            proxy=None,
        ):
            pass

    with pytest.raises(websockets.InvalidStatus):
        talk(connect())


def test_a_write_needs_what_no_form_can_send(server: Server) -> None:
    bearer: dict[str, Any] = {"Authorization": f"Bearer {server.token}"}
    kind: dict[str, Any] = {"Content_Type": "application/json"}
    before = len(list(server.root.rglob("job.json")))
    assert ask(server, "POST", "/api/train", b"{}", **bearer, **kind)[0] == 403
    assert ask(server, "POST", "/api/train", b"{}", **bearer, X_Lab="1", Content_Type="text/plain")[0] == 415
    assert ask(server, "POST", "/api/train", b"{}", **bearer, X_Lab="1")[0] == 415
    assert ask(server, "GET", "/api/runs", **bearer, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors")[0] == 403
    assert ask(server, "GET", "/api/runs", **bearer, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors")[0] == 403
    assert len(list(server.root.rglob("job.json"))) == before


def test_a_socket_needs_the_token(server: Server) -> None:
    async def connect() -> None:
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/api/ws", proxy=None):
            pass

    with pytest.raises(websockets.InvalidStatus):
        talk(connect())


def test_bodies_have_a_limit_told_or_not(server: Server) -> None:
    with server.client() as client:
        headers = {"Content-Type": "application/json"}
        large = b'{"overrides": {"a": "' + b"x" * (2 << 20) + b'"}}'
        assert client.post("/api/train", content=large, headers=headers).status_code == 413

        def pieces() -> Iterator[bytes]:
            for _ in range(64):
                yield b"x" * (1 << 16)

        with contextlib.suppress(httpx.TransportError):  # the server may hang up in the middle of it
            assert client.post("/api/train", content=pieces(), headers=headers).status_code == 413
        answer = client.post("/api/train", content=b'{"overrides": {', headers=headers)
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] is None


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"optimizer._target_": "os.system"}, "optimizer._target_"),
        ({"hydra.run.dir": "/tmp/x"}, "hydra.run.dir"),
        ({"hydra/launcher": "joblib"}, "hydra/launcher"),
        ({"logger": "wandb"}, "logger"),
        ({"logger.x._target_": "os.system"}, "logger.x._target_"),
        ({"callbacks.x": "y"}, "callbacks.x"),
        ({"resume": "/tmp/evil.ckpt"}, "resume"),
        ({"init_from": "/etc"}, "init_from"),
        ({"corpus.url": "http://127.0.0.1:1/"}, "corpus.url"),
        ({"corpus": "text", "corpus.path": "/etc/passwd"}, "corpus.path"),
        ({"corpus": "text", "corpus.path": "~/.ssh/id_rsa"}, "corpus.path"),
        ({"corpus": "text", "corpus.path": "outputs/../../../../../../etc/passwd"}, "corpus.path"),
        ({"corpus": "text", "corpus.path": "out.txt"}, "corpus.path"),
        ({"corpus": "text", "corpus.path": "*"}, "corpus.path"),
        ({"model": "../../../etc/passwd"}, "model"),
        ({"model": "nano,small"}, "model"),
        ({"model.emb_dim": "32,64"}, "model.emb_dim"),
        ({"model.emb_dim": 33}, None),
        ({"sample.prompt": "a\0b"}, "sample.prompt"),
    ],
)
def test_what_may_not_be_given(server: Server, overrides: dict[str, Any], field: str | None) -> None:
    outside = server.root.parent / "outside.txt"
    outside.write_text("secret " * 1000)
    link = server.root / "out.txt"
    if not link.is_symlink():
        link.symlink_to(outside)
    with server.client() as client:
        answer = client.post("/api/train", json={"overrides": {**OVERRIDES, **overrides}})
        assert answer.status_code == 422, answer.text
        if field is not None:
            assert answer.json()["error"]["field"] == field
        assert not list(server.root.rglob("job.json"))


UNFIT = {
    "half a character": b'"\\ud800"',
    "half a character that was encoded": b'"\xed\xa0\x80"',
    "half a character in a list": b'["a", "\\udfff"]',
    "half a character for a key": b'{"\\ud800": 1}',
    "a number of 400 digits": b"9" * 400,
    "a number of 5,000 digits": b"-" + b"9" * 5000,
    "a number beyond 64 bits": b"9223372036854775808",
    "more than any float": b"1e999",
    "no number": b"NaN",
    "infinity": b"-Infinity",
    "depth": b"[" * 100_000 + b"]" * 100_000,
    "depth that is never closed": b'{"a":' * 100_000,
    "bytes": b"\xff\xfe",
}
"""What Python reads as JSON, or nearly, and what UTF-8 or 64 bits cannot hold."""


@pytest.mark.parametrize("odd", UNFIT.values(), ids=UNFIT.keys())
def test_what_no_file_can_hold_is_refused_in_every_field(server: Server, odd: bytes) -> None:
    with server.client() as client:
        (run_id,) = [r["id"] for r in client.get("/api/runs").json() if r["path"] == "outputs/one"]
        schema = client.get("/api/openapi.json").json()
        headers = {"Content-Type": "application/json"}
        tried = 0
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                if "requestBody" not in operation:
                    continue
                told = json.dumps(operation["requestBody"])
                fields = schema["components"]["schemas"][told.partition("schemas/")[2].partition(chr(34))[0]]
                for field in fields["properties"]:
                    content = b'{"' + field.encode() + b'": ' + odd + b"}"
                    place = path.format(run_id=run_id, checkpoint_id="x")
                    answer = client.request(method, place, content=content, headers=headers)
                    assert answer.status_code == 422, (path, field, answer.text)
                    assert answer.json()["error"]["message"]
                    tried += 1
        assert tried > 30
        half = b'{"overrides": {"sample.prompt": "\\ud800"}}'
        answer = client.post("/api/train", content=half, headers=headers)
        assert answer.json()["error"]["field"] == "sample.prompt"
        assert client.get("/api/runs").status_code == 200
        digits = odd.decode("latin-1")[:6000]
        for what, name in (("events", "after"), ("events", "limit"), ("log", "after"), ("metrics", "points")):
            assert client.get(f"/api/runs/{run_id}/{what}", params={name: digits}).status_code < 500
        assert ask(server, "GET", "/api/runs/%ed%a0%80", Authorization=f"Bearer {server.token}")[0] == 404

    async def listen(socket: Any) -> None:
        while True:
            await socket.recv()

    async def say() -> None:
        for message in (odd, odd.decode("latin-1"), b'{"type": "since", "runs": {"x": ' + odd + b"}}"):
            async with server.socket() as socket:
                await socket.send(message)
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await listen(socket)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1003

    talk(say())
    assert "Traceback" not in (server.root / "server.log").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("size", [2**31, 2**40, 2**62])
def test_no_size_is_too_large_to_be_refused(server: Server, size: int) -> None:
    """A model of a billion layers is not built to be counted."""
    with server.client() as client:
        options = client.get("/api/config").json()["options"]
        whole = [o["name"] for o in options if o["type"] == "integer" and o["allowed"]]
        assert "model.n_layers" in whole
        for name in whole:
            answer = client.post("/api/config/resolve", json={"overrides": {**OVERRIDES, name: size}})
            assert answer.status_code in (200, 422), (name, answer.text)


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
def test_texts_reach_the_run_as_they_are(server: Server, text: str) -> None:
    with server.client() as client:
        found = client.post("/api/config/resolve", json={"overrides": {"sample.prompt": text}}).json()
    assert found["errors"] == []
    assert found["config"]["sample"]["prompt"] == text


def test_paths_lead_nowhere(server: Server) -> None:
    secret = server.root.parent / "secret.txt"
    secret.write_text("secret")
    other = server.root.parent / "elsewhere"
    if not other.exists():
        write_run(other / "run", 3)
    for name, target in (("linked", other), ("linked-run", other / "run")):
        if not (server.root / "outputs" / name).is_symlink():
            (server.root / "outputs" / name).symlink_to(target)
    run = server.root / "outputs" / "traps"
    if not run.exists():
        write_run(run, 3)
        (run / "train.log").symlink_to(secret)
        (run / "config.yaml").symlink_to(secret)
        (run / "checkpoints").symlink_to(other)
        (other / "x.ckpt").write_text("secret")
    with server.client() as client:
        found = {r["path"]: r["id"] for r in client.get("/api/runs").json()}
        assert set(found) == {"outputs/one", "outputs/traps"}
        trap = found["outputs/traps"]
        for what in ("log", "config", "checkpoints", "events", "samples", ""):
            answer = client.get(f"/api/runs/{trap}/{what}".rstrip("/"))
            assert answer.status_code == 200
            assert "secret" not in answer.text
        for path in (
            "..%2f..%2fsecret.txt",
            "../secret.txt",
            "%2e%2e/secret.txt",
            "....//secret.txt",
            "%00",
            "a" * 5000,
        ):
            for place in (f"/{path}", f"/assets/{path}", f"/api/runs/{path}", f"/api/docs/{path}"):
                status, text = ask(server, "GET", place, Authorization=f"Bearer {server.token}")
                assert status in (200, 404, 414, 400), (place, status)
                assert "secret" not in text.lower().replace("secret.txt", "")
        bad = {"name": "../../evil", "text": "x"}
        assert client.post("/api/corpora", json=bad).status_code == 422
        assert client.delete("/api/corpora/..%2f..%2fsecret").status_code in (404, 405, 422)
    assert secret.exists()


def test_damaged_files_are_a_lost_run_and_no_broken_server(server: Server) -> None:
    odd: list[Any] = [
        {},
        [],
        "x",
        {"state": "running"},
        {"state": "dancing", "pid": 1},
        {"state": "running", "pid": "x"},
    ]
    for number, content in enumerate(odd):
        folder = server.root / "outputs" / f"damaged-{number}"
        folder.mkdir(exist_ok=True)
        for name in ("state.json", "results.json", "notes.json", "job.json"):
            (folder / name).write_text(json.dumps(content))
        (folder / "config.yaml").write_text("model: [1, 2]\ncorpus: 7\n")
        (folder / EVENTS_FILE).write_text(
            '{"seq": "x"}\n[]\n{"seq": 1, "kind": "metrics", "step": "y", "time": [], "a": {}}\n'
        )
    try:
        with server.client() as client:
            found = {r["path"]: r["state"] for r in client.get("/api/runs").json()}
            assert all(found[f"outputs/damaged-{n}"] in ("lost", "queued") for n in range(len(odd)))
            for run in client.get("/api/runs").json():
                for what in ("", "/metrics", "/events", "/samples", "/log", "/checkpoints", "/config"):
                    assert client.get(f"/api/runs/{run['id']}{what}").status_code == 200, what
    finally:
        for folder in server.root.glob("outputs/damaged-*"):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()


@pytest.mark.slow
def test_the_schema_and_the_server_agree(server: Server) -> None:
    """Whatever the schema allows, and much that it forbids: no request makes the server stumble."""
    schemathesis = pytest.importorskip("schemathesis", reason="needs the test extra")
    with server.client() as client:
        schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
        examples = 0
        for found in schema.get_all_operations():
            operation = found.ok()

            @settings(max_examples=25, deadline=None, database=None)
            @given(case=operation.as_strategy())
            def try_it(case: Any) -> None:
                nonlocal examples
                if case.path == "/api/train" and isinstance(case.body, dict):
                    case.body["overrides"] = {"model.emb_dim": 0, **(case.body.get("overrides") or {})}  # start nothing
                examples += 1
                answer = case.call(base_url=server.url, headers=dict(client.headers))
                assert answer.status_code < 500, (case.method, case.path, answer.text)

            try_it()
        print(f"{examples} examples")
        assert examples > 500
        assert client.get("/api/health").status_code == 200
