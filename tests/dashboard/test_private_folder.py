"""The server's own folder: for one user, and the same for the same root."""

import os
from pathlib import Path

import pytest

from lab.dashboard import private_folder
from lab.errors import LabError


def test_each_root_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    one, other = private_folder.folder_of(tmp_path / "a"), private_folder.folder_of(tmp_path / "b")
    assert one.parent == other.parent == tmp_path / "state"
    assert one != other
    assert private_folder.folder_of(tmp_path / "link") == private_folder.folder_of(tmp_path / "b" / ".." / "a") == one
    monkeypatch.delenv("LAB_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert private_folder.folder_of(tmp_path / "a") == tmp_path / "xdg" / "gpt-lab" / one.name
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert private_folder.folder_of(tmp_path / "a") == tmp_path / "home/.local/state/gpt-lab" / one.name


def test_nobody_else_may_write_there(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "own"
    private_folder.prepare(folder)
    private_folder.prepare(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for mode in (0o770, 0o702):
        folder.chmod(mode)
        with pytest.raises(LabError, match="only you can write to"):
            private_folder.prepare(folder)
    folder.chmod(0o755)  # others may look
    private_folder.prepare(folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(LabError, match="only you can write to"):
        private_folder.prepare(tmp_path / "link")
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match=r"cannot be made \(.*LAB_STATE"):
        private_folder.prepare(tmp_path / "file" / "own")


def test_a_token_outlives_the_server_and_is_nobody_elses(tmp_path: Path) -> None:
    made = private_folder.token(tmp_path)
    assert len(made) >= 32
    assert private_folder.token(tmp_path) == made
    assert os.stat(tmp_path / "token").st_mode & 0o077 == 0
    for torn in (b"", b"short", b"\xff" * 40):
        (tmp_path / "token").write_bytes(torn)
        again = private_folder.token(tmp_path)
        assert len(again) >= 32
        assert again != made
