"""The page where something is out of reach: the server, its token, a file of it, a text too long for an address."""

import contextlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from support.page import CUT_OFF, NEEDS_PAGE, connection, form, visit
from support.server import Server, serving
from support.waiting import wait_for

from lab.dashboard import private_folder
from lab.dashboard.api import page as pages
from lab.dashboard.app import create_app
from lab.dashboard.settings import Settings

pytestmark = NEEDS_PAGE
REFUSED = re.compile(f"status of 401|{CUT_OFF.pattern}")
DEAD = re.compile(r"ERR_FAILED|status of 404|dynamically imported module")
EITHER = re.compile(f"{DEAD.pattern}|{REFUSED.pattern}")
LONG = "The fox, 🦊 and the miller's ünbelievable mill.\n" * 350
assert len(LONG) > 16_000


@pytest.fixture
def watched(browser: Any) -> Iterator[Callable[..., Any]]:
    """A page of which only those complaints are expected that fit a pattern."""
    contexts, complaints = [], []

    def start(expected: re.Pattern[str]) -> Any:
        def note(text: str) -> None:
            if not expected.search(text):
                complaints.append(text)

        context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(240_000)
        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: note(str(error)))
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def test_without_the_token_the_page_says_so_and_takes_it(server: Server, watched: Callable[..., Any]) -> None:
    page = watched(REFUSED)
    for place, access in (("/tokenizer?by=bytes", "missing"), ("/learn?token=wrong", "missing")):
        visit(page, server, place)
        locked = page.get_by_test_id("locked")
        locked.wait_for()
        assert locked.get_attribute("data-access") == access
        assert "token=" not in page.url
        assert page.locator(".mantine-Loader-root:visible").count() == 0
        assert connection(page) == "locked"
    visit(page, server, "/tokenizer?by=bytes")
    page.get_by_label("Printed link or token").fill("wrong")
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_text("This is not the token of the server").wait_for()
    page.get_by_label("Printed link or token").fill(server.link)
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("heading", name="Tokenizer").wait_for()
    page.get_by_text("bytes a token").wait_for()  # what was refused before is asked for again
    assert page.url.endswith("/tokenizer?by=bytes")
    wait_for(lambda: connection(page) == "live")
    page.reload()
    page.get_by_text("bytes a token").wait_for()


def test_a_server_with_another_token_at_the_same_address(tmp_path: Path, watched: Callable[..., Any]) -> None:
    page = watched(REFUSED)
    with serving(tmp_path) as server:
        page.goto(server.link)
        wait_for(lambda: connection(page) == "live")
        page.get_by_role("link", name="New run").first.click()
        page.get_by_label("Name", exact=True).fill("half typed")
        server.kill()
        wait_for(lambda: connection(page) == "offline")
        server.start()  # with the token it had
        wait_for(lambda: connection(page) == "live")
        server.kill()
        (private_folder.folder_of(tmp_path) / "token").unlink()
        server.start()
        page.get_by_text("The server has another token").wait_for()
        page.get_by_label("Printed link or token").fill(server.token)
        page.get_by_role("button", name="Open", exact=True).click()
        wait_for(lambda: connection(page) == "live")
        assert page.get_by_label("Name", exact=True).input_value() == "half typed"


def test_a_file_of_the_page_that_did_not_come(server: Server, watched: Callable[..., Any]) -> None:
    page = watched(DEAD)
    page.goto(server.link)
    wait_for(lambda: connection(page) == "live")
    loads: list[str] = []
    page.on("load", lambda: loads.append(page.url))
    page.route("**/assets/Tokenizer-*.js", lambda route: route.abort())
    page.get_by_role("link", name="Tokenizer").first.click()
    page.get_by_text("This page could not be loaded").wait_for()
    assert len(loads) == 1  # loaded anew once, and not for ever
    page.unroute("**/assets/Tokenizer-*.js")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Tokenizer").wait_for()
    assert page.url.endswith("/tokenizer")


def test_a_page_that_lost_its_server_finds_it_again(tmp_path: Path, watched: Callable[..., Any]) -> None:
    page = watched(EITHER)
    with serving(tmp_path) as server:
        page.goto(server.link)
        wait_for(lambda: connection(page) == "live")
        server.kill()
        page.get_by_role("link", name="Learn").first.click()
        page.get_by_text("The server does not answer").first.wait_for()
        server.start()
        page.get_by_role("heading", name="Learn").wait_for()  # by itself


@contextlib.contextmanager
def built_elsewhere(root: Path, static: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server whose page lies in ``static``; gives its link."""
    shutil.copytree(pages.STATIC, static, ignore=shutil.ignore_patterns("*.gz"))
    monkeypatch.setattr(pages, "STATIC", static)
    free = serving_socket()
    settings = Settings(root, "secret", port=free.getsockname()[1])
    running = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning", ws="websockets-sansio"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [free]})
    thread.start()
    try:
        wait_for(lambda: running.started)
        yield f"http://127.0.0.1:{settings.port}/?token=secret"
    finally:
        running.should_exit = running.force_exit = True
        thread.join()
        free.close()


def serving_socket() -> Any:
    import socket

    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    return free


def test_a_page_that_was_built_anew_is_loaded_anew(
    tmp_path: Path, watched: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = watched(DEAD)
    static = tmp_path / "static"
    with built_elsewhere(tmp_path, static, monkeypatch) as link:
        page.goto(link)
        wait_for(lambda: connection(page) == "live")
        # As a build would: a changed file has another name, and so has every file that names it. What the browser has
        # is kept under the old names. It may be fetching one just now: no file is changed in its place.
        built = shutil.copytree(static, tmp_path / "built")
        scripts = list((built / "assets").glob("*.js"))
        for file in (*scripts, built / "index.html"):
            text = file.read_text()
            for script in scripts:
                text = text.replace(script.name, f"{script.stem}-anew.js")
            file.write_text(text)
        for script in scripts:
            script.rename(script.with_stem(f"{script.stem}-anew"))
        static.rename(tmp_path / "old")
        built.rename(static)
        loads: list[str] = []
        page.on("load", lambda: loads.append(page.url))
        page.get_by_role("link", name="Tokenizer").first.click()
        page.get_by_role("heading", name="Tokenizer").wait_for()
        assert len(loads) == 1
        assert page.url.endswith("/tokenizer")
        page.close()  # what it asks for while the server ends would be refused


@pytest.mark.parametrize("place", ["/tokenizer", "/playground", "/inside", "/new"])
def test_long_texts_outlive_a_reload_and_short_ones_are_in_the_link(
    server: Server, finished: str, place: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(server)
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(request.url)))
    text = LONG
    if place == "/new":
        text = LONG.replace("\n", " ")  # a field of one line
        visit(page, server, form())
        page.get_by_placeholder("Find by name or meaning").fill("sample.prompt")
        field = page.get_by_test_id("option-sample.prompt").get_by_role("textbox")
    else:
        visit(page, server, f"{place}?run={finished}")
        field = page.get_by_role("textbox", name="Text" if place == "/tokenizer" else "Prompt")
    field.fill("A short one")
    page.wait_for_url(re.compile(r"A(\+|%20)short"))
    field.fill(text)
    page.wait_for_url(lambda url: ".kept=" in url)
    page.reload()
    wait_for(lambda: field.input_value() == text)
    page.get_by_test_id("left-out").wait_for()
    page.get_by_role("link", name="Runs").first.click()
    page.get_by_test_id("run-table").wait_for()
    page.go_back()
    wait_for(lambda: field.input_value() == text)
    assert max(sent) < 2_600
    elsewhere = open_page(server)
    elsewhere.goto(page.url)  # a link in other hands
    elsewhere.get_by_text("This link leaves out").wait_for()


def test_letters_stay_where_they_are_typed(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    """A field that is put back to what the address says, between two quick letters, loses one or moves the caret."""
    page = open_page(server)

    def typed_into(field: Any) -> str:
        field.fill("A wolf")
        page.wait_for_url(re.compile(r"A(\+|%20)wolf"))
        field.press("Home")
        field.press_sequentially("abc")
        page.wait_for_url(re.compile(r"abcA(\+|%20)wolf"))
        return str(field.input_value())

    for place, name in (("/playground", "Prompt"), ("/inside", "Prompt"), ("/tokenizer", "Text")):
        visit(page, server, f"{place}?run={finished}")
        assert typed_into(page.get_by_role("textbox", name=name)) == "abcA wolf"
    visit(page, server, "/runs")
    assert typed_into(page.get_by_label("Find runs by name, tag, option or figure")) == "abcA wolf"
    visit(page, server, form())
    assert typed_into(page.get_by_label("Name", exact=True)) == "abcA wolf"
    find = page.get_by_placeholder("Find by name or meaning")
    assert typed_into(find) == "abcA wolf"
    find.fill("sample.prompt")
    assert typed_into(page.get_by_test_id("option-sample.prompt").get_by_role("textbox")) == "abcA wolf"


def test_a_slider_that_is_dragged_changes_the_address_no_oftener_than_browsers_allow(
    server: Server, finished: str, open_page: Callable[..., Any]
) -> None:
    """Safari throws when it changes more than a hundred times in thirty seconds."""
    page = open_page(server)
    visit(page, server, f"/playground?run={finished}&live=0")
    slider = page.get_by_role("slider", name="Temperature")
    slider.wait_for()
    page.wait_for_url(lambda url: "checkpoint=" in url)
    changes: list[str] = []
    page.on("framenavigated", lambda frame: changes.append(frame.url))
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    started = time.monotonic()
    for moved in range(180):
        page.mouse.move(x + moved % 60 - 30, y)
    page.mouse.up()
    value = slider.get_attribute("aria-valuenow")
    page.wait_for_url(lambda url: url.endswith(f"temperature={value}"))
    assert len(changes) <= 27 + (time.monotonic() - started) / 0.45
    page.get_by_role("textbox", name="Prompt").fill("another field")
    page.wait_for_url(lambda url: "another" in url and f"temperature={value}&" in url)


@pytest.mark.parametrize("strip", [("/runs", "Samples", "Log"), ("/inside", "Attention", "Logit lens")])
def test_back_leaves_the_tab_and_not_the_page(
    server: Server, finished: str, strip: tuple[str, str, str], open_page: Callable[..., Any]
) -> None:
    place, first, second = strip
    page = open_page(server)
    visit(page, server, f"{place}/{finished}" if place == "/runs" else f"{place}?run={finished}")
    chosen = page.get_by_role("tab", selected=True)
    page.get_by_role("tab", name=second).click()
    wait_for(lambda: chosen.inner_text().startswith(second))
    page.go_back()
    wait_for(lambda: chosen.inner_text().startswith(first))
    assert place in page.url


def test_typing_makes_no_steps_to_go_back_through(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, f"/inside?run={finished}")
    prompt, chosen = page.get_by_role("textbox", name="Prompt"), page.get_by_role("tab", selected=True)
    prompt.fill("A prompt")
    page.wait_for_url(lambda url: "A+prompt" in url)
    page.get_by_role("tab", name="Logit lens").click()
    prompt.press_sequentially(" that grows", delay=30)
    page.wait_for_url(lambda url: "grows" in url)
    page.get_by_role("tabpanel").get_by_text("grows").first.wait_for(state="attached")  # it was drawn
    page.go_back()
    wait_for(lambda: chosen.inner_text() == "Attention")
    wait_for(lambda: prompt.input_value() == "A prompt")
