"""What commands print alike, and that they do their work whatever the terminal is, or is not."""

import io
import json

import pytest
from support.streams import as_own

from lab import terminal
from lab.system import standard_streams


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (75, "1:15"), (3675, "1:01:15"), (90000, "25:00:00")]
)
def test_durations(seconds: float, text: str) -> None:
    assert terminal.duration(seconds) == text


@pytest.mark.parametrize(
    ("numbers", "lines"),
    [(True, ["side   s", "a     10"]), (False, ["side  s ", "a     10"])],
    ids=["numbers", "words"],
)
def test_cells_stand_under_each_other(numbers: bool, lines: list[str]) -> None:
    assert terminal.columns([("side", "s"), ("a", "10")], numbers) == lines


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
