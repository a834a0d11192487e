"""The files of the built page, and what is said while there are none."""

import gzip
import shutil
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lab.dashboard import http_errors
from lab.dashboard.api import page


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>The page")
    (folder / "assets" / "a.js").write_text("1 + 1")
    (folder / "assets" / "a.js.gz").write_bytes(gzip.compress(b"1 + 1"))
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(page, "STATIC", folder)
    return folder


@pytest.fixture
def client(static: Path) -> TestClient:
    app = FastAPI()
    http_errors.install(app)
    app.include_router(page.router)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_file_and_the_page_for_any_other_address(client: TestClient, encoding: str) -> None:
    script = client.get("/assets/a.js", headers={"accept-encoding": encoding})
    assert (script.text, script.headers.get("content-encoding", "identity")) == ("1 + 1", encoding)
    assert "javascript" in script.headers["content-type"]
    assert "immutable" in script.headers["cache-control"]
    for path in ("/", "/runs/some", "/assets", "/link.txt", "/" + "x" * 5000, "/%00", "/..%2fsecret.txt"):
        answer = client.get(path)
        assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, "<p>The page", "no-cache")
    assert client.get("/assets/b.js").status_code == 404


def test_while_the_page_is_built_anew_it_says_so(client: TestClient, static: Path) -> None:
    shutil.rmtree(static / "assets")
    (static / "index.html").unlink()
    page = client.get("/runs")
    assert (page.status_code, "The page is being built" in page.text) == (503, True)
    script = client.get("/assets/a.js")
    assert script.status_code == 503
    assert script.json()["error"]["message"] == "the page is being built: try again in a moment"
    shutil.rmtree(static)
    assert "python -m lab.dashboard.build" in client.get("/").text


def test_a_file_that_goes_while_it_is_asked_for(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path) -> bytes:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_bytes", gone)
    assert client.get("/").status_code == client.get("/assets/a.js").status_code == 503
