"""A server for all tests of the dashboard that need none of their own: they start a training or look at one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.page import CHROMIUM, CUT_OFF, FLAGS
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that is already here."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the test extra brings playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS.split(), "--no-first-run"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens the printed link; whatever the page complains of on its console fails the test at its end."""
    contexts, complaints = [], []

    def listen(message: Any) -> None:
        # A server that is being killed cannot answer; the browser says so by itself.
        if message.type == "error" and not CUT_OFF.search(message.text):
            complaints.append(message.text)

    def start(server: Server, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(240_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.link)
        page.get_by_test_id("connection").wait_for()
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []
