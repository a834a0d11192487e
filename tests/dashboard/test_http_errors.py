"""Whatever goes wrong has one shape, and says nothing that UTF-8 cannot."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from lab.dashboard.http_errors import ApiError, install
from lab.errors import LabError


class Wish(BaseModel):
    """A body with a number in it."""

    count: int


def app() -> FastAPI:
    """Routes that fail in every way."""
    found = FastAPI()
    install(found)
    failures: dict[str, Exception] = {
        "api": ApiError(409, "not now \ud83e", "seed"),
        "lab": LabError("choose another"),
        "full": OSError(28, "No space left on device", "/tmp/x"),
        "bare": OSError("odd"),
        "bug": ZeroDivisionError("secret"),
    }

    @found.get("/fail/{kind}")
    def fail(kind: str) -> None:
        raise failures[kind]

    @found.post("/wish")
    def wish(wish: Wish) -> int:
        return wish.count

    return found


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said", "field"),
    [
        ("GET", "/fail/api", None, 409, "not now \ufffd", "seed"),
        ("GET", "/fail/lab", None, 422, "choose another", None),
        ("GET", "/fail/full", None, 503, "/tmp/x: no space left on device", None),
        ("GET", "/fail/bare", None, 503, "the file system: it cannot be used", None),
        ("GET", "/fail/bug", None, 500, "this is a bug in the server: its own output says more", None),
        ("GET", "/nothing", None, 404, "there is no /nothing", None),
        ("PUT", "/wish", None, 405, "/wish does not know PUT", None),
        ("POST", "/wish", b'{"count": "x"}', 422, "count: input should be a valid integer", "count"),
        ("POST", "/wish", b"{", 422, "the request: JSON decode error", None),
    ],
)
def test_each_failure_is_told_in_the_one_shape(
    method: str, path: str, body: bytes | None, status: int, said: str, field: str | None
) -> None:
    client = TestClient(app(), raise_server_exceptions=False)
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    told = answer.json()["error"]
    assert told["message"].lower().startswith(said.lower())
    assert told["field"] == field
    assert "secret" not in answer.text
