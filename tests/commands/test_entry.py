"""How commands end: mistakes in one sentence, bugs with their traceback, lost output told."""

import importlib
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY, lab, train_here
from support.streams import CLOSED_PIPE, VANISHED, Failing, as_own

from lab.commands import entry
from lab.commands import train as commands_train

COMMANDS = {
    "bench": [
        (["--pairs", "0"], "pairs=0"),
        (["--pairs", "nan"], "pairs=nan does not fit: it must be a whole number"),
        (["--lr=3"], "there is no flag --lr: write optimizer.lr=3"),
        (["model.n_layers=1000000000"], "TiB of memory"),
        (["model=huge"], "model=huge is unknown"),
    ],
    "control": [
        ([], "the following arguments are required"),
        (["somewhere", "dance"], "invalid choice: 'dance' (choose from"),
        (["somewhere", "pause", "--timeout", "-1"], "--timeout: -1 does not fit: it must be a number, at least 0"),
        (["somewhere", "pause", "--timeout", "nan"], "--timeout: nan does not fit"),
    ],
    "dashboard.__main__": [
        (["--port", "99999"], "--port: 99999 does not fit: it must be a whole number, at least 0 and at most 65535"),
        (["--host", "999.1.1.1"], "--host 999.1.1.1 is no address"),
        (["--host", ""], "--host is empty"),
        (["--root", ""], "--root is empty"),
        (["--prot", "1"], "unrecognized arguments: --prot"),
    ],
    "summary": [
        (["--model=small"], "there is no flag --model: write model=small"),
        (["-m"], "'-m' is no option"),
        (["model.emb_dim=100000000000"], "torch cannot count"),
    ],
}


@pytest.mark.parametrize(
    ("command", "typed", "said"), [(command, *case) for command, cases in COMMANDS.items() for case in cases]
)
def test_other_commands_tell_it_in_one_sentence_too(
    command: str, typed: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [command, *typed])
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(f"lab.{command}").main()
    told = capsys.readouterr()
    assert (stop.value.code, told.out) == (1, "")
    assert told.err.startswith("error: ")
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_process_itself_says_one_sentence_and_exits_with_1(tmp_path: Path) -> None:
    done = lab(tmp_path, "train", "optimizer.lrr=1", env={})
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: there is no option optimizer.lrr")
    assert "Traceback" not in done.err


def test_a_bug_is_not_dressed_up_as_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors that are ours keep their traceback."""
    monkeypatch.setattr(commands_train, "check", lambda config: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train_here(tmp_path, *TINY)


@pytest.mark.parametrize(("cause", "said"), [(VANISHED, "error: standard output cannot"), (CLOSED_PIPE, "")])
def test_where_printing_is_the_purpose_its_failure_ends_the_command(
    cause: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_own(monkeypatch, "stdout", Failing(cause))
    as_own(monkeypatch, "stderr", told := io.BytesIO())
    done = []

    def story() -> None:
        try:
            print("a text", flush=True)
            done.append("more")
        finally:
            print("on the way out", flush=True)  # fails no more

    with pytest.raises(SystemExit) as ended:
        entry.run(story)
    assert (ended.value.code, done) == (1, [])
    assert told.getvalue().decode().startswith(said)
    assert len(told.getvalue().splitlines()) == bool(said)
