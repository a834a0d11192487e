"""What the tests share: a small corpus, private caches, and the real command line."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from support.server import Server

# One thread for each test process: two run side by side, and sums come out the same in all of them.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _private_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the tests leave behind does not land in the user's folders, nor do they depend on what lies there."""
    os.environ.setdefault("LAB_CACHE", str(tmp_path_factory.mktemp("tokens")))
    os.environ.setdefault("LAB_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of fetched corpora; LAB_CORPORA if it is set, as it is where verdict can be had offline."""
    return Path(os.environ.get("LAB_CORPORA") or tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def client(server: "Server") -> Iterator[httpx.Client]:
    """Asks the dashboard that a module's own ``server`` started."""
    with server.client() as client:
        yield client


@pytest.fixture
def between_steps(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets signals come in just after a training has looked for any: these after the first step, those after the
    second."""

    def at(*numbers: tuple[signal.Signals, ...]) -> None:
        from lab.runs import command_files

        real, coming = command_files.commands, iter([(), *numbers])  # a run looks once before it begins

        def commands(folder: Path) -> list[tuple[str, Path]]:
            for number in next(coming, ()):
                signal.raise_signal(number)
            return real(folder)

        monkeypatch.setattr(command_files, "commands", commands)

    return at
