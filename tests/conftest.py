"""What the tests share: a small corpus, private caches, and the real command line."""

import copy
import functools
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import settings
from support.forked import ROOT
from support.usual_signals import set_usual

if TYPE_CHECKING:
    from support.commands import Finished
    from support.server import Server

# One thread for each test process: two run side by side, and sums come out the same in all of them.
os.environ["OMP_NUM_THREADS"] = "1"

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("lab", deadline=None)
settings.load_profile("lab")


@pytest.fixture(scope="session", autouse=True)
def _private_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the tests leave behind does not land in the user's folders, nor do they depend on what lies there."""
    os.environ.setdefault("LAB_CACHE", str(tmp_path_factory.mktemp("tokens")))
    os.environ.setdefault("LAB_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session", autouse=True)
def _no_bf16() -> Iterator[None]:
    """What trainer.precision=auto comes to is the same on every machine: fp32, unless a test says otherwise."""
    from lab.system import bfloat16

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bfloat16, "native", lambda: (False, "this processor has no bf16"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _composed_once() -> Iterator[None]:
    """The same words are the same configuration. Hydra takes a fifth of a second each time, and a run asks it twice
    what the defaults were."""
    from lab.config import compose

    known = functools.cache(compose.compose_quoted)

    def composed(overrides: Sequence[str], with_hydra: bool = False) -> Any:
        return copy.deepcopy(known(tuple(overrides), with_hydra))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "compose_quoted", composed)
        yield


@pytest.fixture(scope="session", autouse=True)
def _mode_is_told() -> Iterator[None]:
    """Whether a run inside this process is one of a sweep, Hydra composes everything once more to know. Only words of
    Hydra's own and the presets of sweeps can say it."""
    from hydra._internal.hydra import Hydra

    asked = Hydra.get_mode

    def mode(self: Hydra, config_name: str | None, overrides: list[str]) -> Any:
        told = any(word.lstrip("+").startswith(("hydra", "sweep")) for word in overrides)
        return asked(self, config_name, overrides) if told else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hydra, "get_mode", mode)
        yield


@pytest.fixture(autouse=True)
def _leaves_things_as_they_were() -> Iterator[None]:
    """What one test leaves where the next one stands is what that one is judged by."""
    before = _surroundings()
    yield
    assert _surroundings() == before, "the test has left a run in the clone, or an environment variable"


def _surroundings() -> tuple[set[str], set[str], dict[str, str]]:
    runs = {name for name in os.listdir(ROOT) if name.startswith("outputs")}
    variables = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "LAB_"))}
    return runs, set(os.listdir(ROOT / "multirun")), variables


@pytest.fixture
def in_a_terminal() -> Iterator[None]:
    """Signals as they are in a terminal, however the tests were started."""
    before = set_usual()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> "Finished":
    """One run with everything on, which several tests look at from different sides."""
    from support.commands import TINY, train

    folder = tmp_path_factory.mktemp("kept")
    return train(
        folder,
        *TINY,
        "corpus=fables",
        "save=true",
        "save_every=2",
        "keep=2",
        "trainer.max_steps=7",
        "trainer.accumulate_grad_batches=2",
        "eval_every=3",
        "log_every=1",
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> "Finished":
    """The folder of a tiny run that has kept its model."""
    from support.commands import TINY, train_here

    folder = tmp_path_factory.mktemp("trained")
    done = train_here(folder, *TINY, "model.context_length=32", "trainer.max_steps=2", "save=true")
    assert done.code == 0
    return done


@pytest.fixture
def here(trained: "Finished", monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs lab.generate inside this process: exit code, standard output, standard error."""

    from lab import generate

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace") for _ in range(2))
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["generate", *arguments])
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8", errors="surrogateescape"))
            patched.chdir(trained.folder)
            code = 0
            try:
                generate.main()
            except SystemExit as stop:
                code = int(stop.code or 0)
        for stream in (out, err):
            stream.seek(0)
        return code, out.read(), err.read()

    return run
