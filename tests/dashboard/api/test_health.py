"""Whether a server is there."""

import httpx
from support.server import Server


def test_health_needs_no_token_and_answers_to_both_names(server: Server) -> None:
    for name in ("127.0.0.1", "localhost"):
        answer = httpx.get(f"http://{name}:{server.port}/api/health", trust_env=False)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert answer.json()["device"]
