"""The twenty questions: each leads to a panel that is there, a line of the code, and a command that runs."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.page import NEEDS_PAGE, visit
from support.server import Server, in_state, serving, train
from support.waiting import wait_for

import lab
from lab.config import compose
from lab.config.schema import check

CARDS = Path(lab.__file__).parent / "dashboard" / "frontend" / "src" / "pages" / "questions"
FILES = ("training.ts", "inside.ts", "comparing.ts")
COMMANDS = sorted(
    {
        words
        for file in FILES
        for _, words in re.findall(r"command: (['\"])(python -m lab\..*?)\1,\n", (CARDS / file).read_text())
    }
)


def test_there_is_a_command_for_each_question() -> None:
    cards = sum((CARDS / file).read_text().count("question: ") for file in FILES)
    assert cards >= 20
    assert len(COMMANDS) >= 15


@pytest.mark.parametrize("line", [line for line in COMMANDS if "lab.train" in line])
def test_options_of_trainings_are_options(line: str) -> None:
    words = [word for word in shlex.split(line)[3:] if word != "-m"]
    single = [word for word in words if not word.startswith(("resume=", "sweep="))]
    check(compose.compose_config([re.sub(r"(=[^,]*),.*", r"\1", word) for word in single]))


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted({shlex.split(line)[2] for line in COMMANDS}))
def test_commands_are_there(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    options = {
        word.partition("=")[0]
        for line in COMMANDS
        if shlex.split(line)[2] == module and module != "lab.train"
        for word in shlex.split(line)[3:]
        if "=" in word
    }
    named = {option for option in options if "." not in option and option not in ("model", "corpus", "tokenizer")}
    assert not [option for option in named if option not in done.stdout]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("root")) as running:
        yield running


@pytest.fixture(scope="module")
def finished(server: Server) -> str:
    with server.client() as client:
        run_id = train(client, **{"trainer.max_steps": 12, "save": True, "save_every": 6, "eval_every": 6})
        in_state(client, run_id, "finished")
    return run_id


def in_a_browser(test: Any) -> Any:
    for mark in NEEDS_PAGE:
        test = mark(test)
    return test


def panels() -> dict[str, str]:
    """The panel of each card, by the card's name."""
    found: dict[str, str] = {}
    for file in FILES:
        names = re.findall(r'\bid: "([\w-]+)"', (CARDS / file).read_text())
        found |= dict(zip(names, re.findall(r'panel: "([\w-]+)"', (CARDS / file).read_text()), strict=True))
    return found


@in_a_browser
def test_every_question_leads_to_its_panel(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    page = open_page(server)
    visit(page, server, "/learn")
    links = page.locator("[data-testid^=question-]")
    wait_for(lambda: links.count() == 20)
    wait_for(lambda: finished in (page.get_by_test_id("question-loss").get_attribute("href") or ""))
    wait_for(lambda: page.get_by_test_id("questions").locator("pre").count() == 20)  # a line of code each
    found = panels()
    targets = {}
    for link in links.all():
        name = str(link.get_attribute("data-testid")).removeprefix("question-")
        targets[name] = (str(link.get_attribute("href")), found[name])
    assert len(targets) == 20
    for address, panel in sorted(set(targets.values())):
        visit(page, server, address)
        page.get_by_test_id(panel).first.wait_for()
        # The worker has a short queue: whoever leaves a page before its answers are there leaves them in it.
        page.wait_for_timeout(500)
        wait_for(lambda: page.locator(".mantine-Loader-root").count() == 0)


@in_a_browser
def test_cards_say_what_is_on_the_screen(server: Server, finished: str, open_page: Callable[..., Any]) -> None:
    with server.client() as client:
        series = client.get(f"/api/runs/{finished}/metrics?names=val_loss").json()["series"]["val_loss"]
    page = open_page(server)
    visit(page, server, f"/runs/{finished}")
    seen = page.get_by_test_id("seen-loss")
    seen.get_by_role("button", name="What did I just see?").click()
    card = seen.get_by_test_id("card-loss")
    card.get_by_text(
        f"At step {series['steps'][0]} the loss is {series['values'][0]:.2f}, and ln(50,257) = 10.82"
    ).wait_for()
    card.get_by_text("F.cross_entropy(").wait_for()
    for place in ("rate", "norm", "speed", "samples"):
        page.get_by_test_id(f"seen-{place}").get_by_role("button", name="What did I just see?").click()
        page.get_by_test_id(f"seen-{place}").locator("pre").first.wait_for()
