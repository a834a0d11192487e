"""Fetching from a real HTTP server, on this machine."""

import gc
import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from lab.data.download import corpora_folder, fetch
from lab.errors import LabError

TEXT = "A fox.\r\nAnd a löwe.\n".encode()
SHA256 = hashlib.sha256(TEXT).hexdigest()


@dataclass
class Server:
    url: str
    body: bytes = TEXT
    status: int = 200
    missing: int = 0
    """Bytes that are announced but never sent."""
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body) + state.missing))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state = Server(f"http://127.0.0.1:{http.server_address[1]}/some/where.txt")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CORPORA", str(tmp_path / "corpora"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "corpora"


@pytest.fixture
def nowhere() -> str:
    """A URL at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/story.txt"


def test_fetched_once_and_kept(server: Server, folder: Path) -> None:
    for _ in range(3):
        path = fetch(server.url, "story.txt", SHA256)
        assert path == folder / "story.txt"
        assert path.read_bytes() == TEXT
    assert server.requests == ["/some/where.txt"]
    assert [file.name for file in folder.iterdir()] == ["story.txt"]


def test_a_file_that_was_damaged_is_fetched_again(server: Server, folder: Path) -> None:
    fetch(server.url, "story.txt", SHA256).write_bytes(b"something else")
    assert fetch(server.url, "story.txt", SHA256).read_bytes() == TEXT
    assert len(server.requests) == 2


def test_a_file_laid_there_by_hand_needs_no_network(folder: Path, nowhere: str) -> None:
    folder.mkdir()
    (folder / "story.txt").write_bytes(TEXT)
    assert fetch(nowhere, "story.txt", SHA256).read_bytes() == TEXT


def test_wrong_content_is_refused_and_not_kept(server: Server, folder: Path) -> None:
    server.body = b"404, in the disguise of a page"
    with pytest.raises(LabError, match="SHA-256 differs") as caught:
        fetch(server.url, "story.txt", SHA256)
    says_what_to_do(caught.value, server.url, folder)
    assert list(folder.iterdir()) == []


def test_wrong_content_does_not_take_the_place_of_a_file(server: Server, folder: Path) -> None:
    folder.mkdir()
    (folder / "story.txt").write_bytes(b"an older version")
    server.body = b"wrong"
    with pytest.raises(LabError):
        fetch(server.url, "story.txt", SHA256)
    assert (folder / "story.txt").read_bytes() == b"an older version"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # requests leaves the socket of a broken download to the gc
@pytest.mark.parametrize(("status", "missing"), [(404, 0), (500, 0), (200, 100)])
def test_a_failing_server_leaves_nothing_behind(server: Server, folder: Path, status: int, missing: int) -> None:
    server.status, server.missing = status, missing
    with pytest.raises(LabError) as caught:
        fetch(server.url, "story.txt", SHA256)
    says_what_to_do(caught.value, server.url, folder)
    assert list(folder.iterdir()) == []
    del caught
    gc.collect()


def test_offline_and_absent(folder: Path, nowhere: str) -> None:
    with pytest.raises(LabError, match="could not be fetched") as caught:
        fetch(nowhere, "story.txt", SHA256)
    says_what_to_do(caught.value, nowhere, folder)


def says_what_to_do(error: LabError, url: str, folder: Path) -> None:
    for word in ("story.txt", url, str(folder), "corpus=fables"):
        assert word in str(error)


def test_a_folder_that_cannot_be_is_an_error(server: Server, folder: Path) -> None:
    folder.write_text("a file in its place", encoding="utf-8")
    with pytest.raises(LabError):
        fetch(server.url, "story.txt", SHA256)
    assert folder.read_text(encoding="utf-8") == "a file in its place"


def test_a_folder_without_permission_is_named(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pooch.Pooch, "fetch", refuse)  # root, whom tests may run as, is refused nothing
    with pytest.raises(LabError, match="cannot be written to: set LAB_CORPORA") as caught:
        fetch(server.url, "story.txt", SHA256)
    assert str(folder) in str(caught.value)


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_CORPORA", str(tmp_path))
    assert corpora_folder() == tmp_path
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("LAB_CORPORA")
        else:
            monkeypatch.setenv("LAB_CORPORA", unset)
        assert corpora_folder() == pooch.os_cache("gpt-lab") / "corpora"
