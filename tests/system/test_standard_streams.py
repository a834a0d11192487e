"""Commands do their work whatever the standard streams are, or are not."""

import errno
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY
from support.streams import ASCII, CLOSED_PIPE, VANISHED, Failing, as_own, shell

from lab import evaluate, export, train
from lab.runs.state import write_state
from lab.system import standard_streams


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


@pytest.mark.slow
def test_a_run_in_a_folder_that_the_console_has_no_letters_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a redirect on Windows has it; and what reads and writes the run later gets the real name."""
    folder = tmp_path / "λόγος"
    folder.mkdir()
    options = " ".join((*TINY, "trainer.max_steps=2", "save=true", "hydra.run.dir=run"))
    done = shell(folder, f"$python -m lab.train {options}", PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u03bb\u03cc\u03b3\u03bf\u03c2" in done.stdout
    as_own(monkeypatch, "stderr", told := io.BytesIO(), "ascii")
    monkeypatch.chdir(folder)
    with monkeypatch.context() as patched:
        as_own(patched, "stdout", io.BytesIO(), "ascii")
        patched.setattr(sys, "argv", ["lab.export", "checkpoint=run", "to=out"])
        export.main()
        assert told.getvalue() == b""
    done = shell(folder, "$python -m lab.evaluate checkpoint=run format=json to=figures.json", **ASCII)
    assert done.returncode == 0, done.stderr
    assert os.fsencode(json.loads(done.stdout)["checkpoint"]) == os.fsencode(folder / "run/checkpoints/last.ckpt")
    written = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    assert written["checkpoint"] == str(folder / "run/checkpoints/last.ckpt")
    as_own(monkeypatch, "stdout", Failing(OSError(errno.ENOSPC, "No space left on device")))
    monkeypatch.setattr(sys, "argv", ["lab.evaluate", "checkpoint=run", "format=json", "to=more.json"])
    with pytest.raises(SystemExit, match="1"):
        evaluate.main()
    assert b"error: standard output cannot be written to (No space left on device)" in told.getvalue()
    assert (folder / "more.json").is_file()  # what it was told to write elsewhere is not lost with it


def test_what_a_job_prints_goes_into_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for text in ("one \u201cλ\u201d", "two \udcce"):
        with standard_streams.into(tmp_path / "log"):
            print(text)
            print("aside", file=sys.stderr)
    assert (tmp_path / "log").read_bytes() == "one “λ”\naside\ntwo \\udcce\naside\n".encode()
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_ends_no_job() -> None:
    with standard_streams.into(Path("/dev/full")):
        print("lost")
