"""A server for all tests of the dashboard that need none of their own: they start a training or look at one."""

from collections.abc import Iterator

import pytest
from support.server import Server, in_state, serving, train


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Once for each test process; a module that puts something into the root has its own."""
    with serving(tmp_path_factory.mktemp("root")) as server:
        yield server


@pytest.fixture(scope="session")
def finished(server: Server) -> str:
    """A run that has come to its end."""
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 12, "save": True, "save_every": 4, "eval_every": 4})
        in_state(client, run_id, "finished")
    return run_id
