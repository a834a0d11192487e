"""Where a server keeps what."""

from pathlib import Path

import pytest

from lab.dashboard.settings import Settings


def test_what_it_believes_lies_outside_of_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))
    settings = Settings(tmp_path / "root", "secret")
    assert settings.own.is_relative_to(tmp_path / "state")
    assert not settings.own.is_relative_to(settings.root)
    assert settings.uploads == tmp_path / "root" / "outputs" / ".corpora"  # hidden: no run is looked for there
    assert settings.host == "127.0.0.1"  # nobody from outside, unless asked for
