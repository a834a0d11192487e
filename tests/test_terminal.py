"""What commands print alike: durations, and the progress of long work."""

import pytest

from lab import terminal


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
