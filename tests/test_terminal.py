"""What commands print alike, and that they do their work whatever the terminal is, or is not."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import ROOT, TINY

from lab import terminal, train
from lab.commands import entry
from lab.files import atomic
from lab.runs.state import write_state
from lab.system import standard_streams


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (75, "1:15"), (3675, "1:01:15"), (90000, "25:00:00")]
)
def test_durations(seconds: float, text: str) -> None:
    assert terminal.duration(seconds) == text


def test_in_a_log_progress_is_lines_on_standard_error(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 8))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with terminal.showing("scoring", 6400, "tokens") as advance:
        for _ in range(4):
            advance(1600)  # each takes 8 seconds
    printed = capsys.readouterr()
    assert printed.out == ""
    first, *lines = printed.err.splitlines()
    assert first == "scoring  6,400 tokens"
    assert lines == [
        "scoring  3,200/6,400 tokens  200 tokens/s  0:16 left",
        "scoring  6,400/6,400 tokens  200 tokens/s  0:00 left",
    ]


def test_in_a_terminal_progress_is_a_bar_on_standard_error(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    with terminal.showing("scoring", 100, "tokens") as advance:
        advance(50)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "scoring" in printed.err
    assert "tokens/s" in printed.err
    assert "━" in printed.err


ASCII = {"PYTHONIOENCODING": "", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


UTF8 = {"PYTHONIOENCODING": "utf-8"}
"""What a test has that does not say otherwise, whatever the machine has."""


def shell(folder: Path, line: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """``line`` in a shell, where ``$lab`` is ``python -m lab``; its exit code is that of the command before a pipe."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "python": sys.executable, **UTF8, **env},
        capture_output=True,
        check=False,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a run in it, for the quickest of all commands to tell about."""
    write_state(tmp_path / "λ", "finished", step=3, total_steps=3, reason="“over”")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "env", "code", "out", "err"),
    [
        ("status", {}, 0, "finished, step 3 of 3 (“over”)\n".encode(), b""),
        ("status", {"PYTHONIOENCODING": "cp1252"}, 0, "finished, step 3 of 3 (“over”)\n".encode("cp1252"), b""),
        ("status", {"PYTHONIOENCODING": "latin-1"}, 0, b"finished, step 3 of 3 (\\u201cover\\u201d)\n", b""),
        ("status", ASCII, 0, b"finished, step 3 of 3 (\\u201cover\\u201d)\n", b""),
        ("save", ASCII, 1, b"", b"error: \\udcce\\udcbb cannot save: the run is finished\n"),
        ("status > /dev/full", {}, 1, b"", b"error: standard output cannot be written to (No space left on device)\n"),
        ("status > /dev/full", {"PYTHONUNBUFFERED": "1"}, 1, b"", b"error: standard output cannot be written to (No s"),
        ("--help > /dev/full", {}, 1, b"", b"error: standard output cannot be written to (No space left on device)\n"),
        ("status >&-", {}, 1, b"", b"error: standard output cannot be written to (it is closed)\n"),
        ("status 2>&-", {}, 0, "finished, step 3 of 3 (“over”)\n".encode(), b""),
        ("save 2>&-", {}, 1, b"", b""),  # a message that has nowhere to go does not end up in the output
        ("save 2> /dev/full", {}, 1, b"", b""),
        ("status <&- >&- 2>&-", {}, 1, b"", b""),
    ],
)
def test_a_command_that_prints_says_when_it_cannot(
    run: Path, line: str, env: dict[str, str], code: int, out: bytes, err: bytes
) -> None:
    done = shell(run, f"$python -m lab.control λ {line}", **env)
    assert (done.returncode, done.stdout) == (code, out), done.stderr
    assert done.stderr.startswith(err)
    assert bool(done.stderr) == bool(err)


class Failing(io.RawIOBase):
    """A stream like a terminal that has vanished, or a disk that has filled up."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise self.error


def as_own(monkeypatch: pytest.MonkeyPatch, name: str, raw: Any, encoding: str = "utf-8") -> None:
    """``raw`` as this process's own standard stream, as a shell would have opened it."""
    text = None if raw is None else io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding)
    monkeypatch.setattr(sys, name, text)
    monkeypatch.setattr(sys, f"__{name}__", text)


VANISHED = OSError(5, "Input/output error")
CLOSED_PIPE = BrokenPipeError(32, "Broken pipe")


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


@pytest.mark.parametrize("out", [Failing(VANISHED), Failing(CLOSED_PIPE), None])
@pytest.mark.parametrize("err_too", [False, True])
def test_a_training_needs_no_terminal(out: Any, err_too: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_own(monkeypatch, "stdout", out)
    as_own(monkeypatch, "stderr", Failing(VANISHED) if err_too else (told := io.BytesIO()))
    monkeypatch.setattr(sys, "argv", ["lab-train", *TINY, "trainer.max_steps=3", "save=true", "hydra.run.dir=run"])
    monkeypatch.chdir(tmp_path)
    train.main()  # ends without SystemExit: the exit code is 0
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert (results["status"], results["steps"]) == ("finished", 3)
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()
    if not err_too:
        (note,) = told.getvalue().decode().splitlines()
        assert note.startswith("note: standard output cannot be written to (")


def test_a_run_in_a_folder_that_the_console_has_no_letters_for(tmp_path: Path) -> None:
    """As a redirect on Windows has it; and what reads and writes the run later gets the real name."""
    folder = tmp_path / "λόγος"
    folder.mkdir()
    options = " ".join((*TINY, "trainer.max_steps=2", "save=true", "hydra.run.dir=run"))
    done = shell(folder, f"$python -m lab.train {options}", PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u03bb\u03cc\u03b3\u03bf\u03c2" in done.stdout
    done = shell(folder, "$python -m lab.export checkpoint=run to=out", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    line = "$python -m lab.evaluate checkpoint=run format=json to=figures.json"
    done = shell(folder, line, **ASCII)
    assert done.returncode == 0, done.stderr
    assert os.fsencode(json.loads(done.stdout)["checkpoint"]) == os.fsencode(folder / "run/checkpoints/last.ckpt")
    written = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    assert written["checkpoint"] == str(folder / "run/checkpoints/last.ckpt")
    done = shell(folder, f"{line.replace('figures', 'more')} > /dev/full")
    assert done.returncode == 1
    assert b"error: standard output cannot be written to (No space left on device)" in done.stderr
    assert (folder / "more.json").is_file()  # what it was told to write elsewhere is not lost with it


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", '"é λ 🦊 \\udcff"'), ("cp1252", r'"\u00e9 \u03bb \ud83e\udd8a \udcff"'), ("ascii", None)],
)
def test_json_is_json_on_every_stream(encoding: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    as_own(monkeypatch, "stdout", printed := io.BytesIO(), encoding)
    with standard_streams.guarded(output_matters=True):
        terminal.print_json("é λ 🦊 \udcff")
    text = printed.getvalue().decode("utf-8")
    assert json.loads(text) == "é λ 🦊 \udcff"
    assert expected is None or text.strip() == expected


def test_a_path_of_an_ascii_locale_is_written_as_what_it_is() -> None:
    assert atomic.utf8(os.fsencode("λ").decode("ascii", "surrogateescape")) == "λ".encode()
    assert json.loads(atomic.utf8('"λ \udcff"')) == "λ \udcff"
