"""The dashboard's page in a real browser: what it takes, and how one finds one's way on it."""

import re
import shutil
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from support.server import OVERRIDES, Server

from lab.dashboard.api.page import STATIC

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

NEEDS_PAGE = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
    pytest.mark.skipif(not (STATIC / "index.html").is_file(), reason="the page is not built: lab.dashboard.build does"),
]

CUT_OFF = re.compile(
    r"WebSocket connection|net::ERR_(CONNECTION_\w+|EMPTY_RESPONSE|CONTENT_LENGTH_MISMATCH|INCOMPLETE_CHUNKED_ENCODING)"
)
"""What Chromium says of a server that is killed: before it has answered, or in the middle of a file."""

FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"


def visit(page: Any, server: Server, path: str) -> None:
    page.goto(server.url + path)


def step_of(page: Any) -> int:
    return int(page.get_by_test_id("run-step").get_attribute("data-step"))


# Playwright's own wait_for_function runs strings as scripts, which the page's security policy forbids.
def frame_of(page: Any) -> int:
    return int(page.get_by_test_id("frame").get_attribute("data-step") or -1)


def connection(page: Any) -> str:
    return str(page.get_by_test_id("connection").get_attribute("data-state"))


def answer_late(route: Any) -> None:
    """Lets an answer come after what the socket tells of the same thing."""
    answer = route.fetch()
    time.sleep(3)
    route.fulfill(response=answer)


def form(**choices: Any) -> str:
    """The address of the form with the options of a tiny model."""
    words = {**OVERRIDES, **choices}
    return "/new?" + urlencode([("set", f"{key}={value}") for key, value in words.items()])
