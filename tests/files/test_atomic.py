"""Written whole or not at all."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import ROOT
from support.waiting import wait_for

from lab.files import atomic


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.bin"
    for content in (b"first", b"the second, which is longer", b""):
        with atomic.writing(path) as file:
            file.write(content)
            assert not path.exists() or path.read_bytes() != content  # not before the block has ended
        assert path.read_bytes() == content
    assert names(path.parent) == ["a.bin"]


@settings(max_examples=50, deadline=None)
@given(text=st.text())
def test_text_is_written_as_it_is(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    atomic.write_text(path, text)
    assert path.read_bytes() == text.encode()


def test_json_is_readable_by_people(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "a.json", {"name": "Löwe", "values": [1, None]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "name": "Löwe",\n  "values": [\n    1,\n    null\n  ]\n}\n'
    )


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existed", [True, False])
def test_an_exception_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, error: type[BaseException], existed: bool
) -> None:
    path = tmp_path / "a.bin"
    if existed:
        path.write_bytes(b"old")

    def interrupted() -> None:
        with atomic.writing(path) as file:
            file.write(b"half of the new")
            raise error

    with pytest.raises(error):
        interrupted()
    assert names(tmp_path) == (["a.bin"] if existed else [])
    assert not existed or path.read_bytes() == b"old"


def test_what_cannot_be_written_as_json_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic.write_json(path, {"good": 1})
    with pytest.raises(TypeError):
        atomic.write_json(path, {"bad": object()})
    assert path.read_text() == '{\n  "good": 1\n}\n'
    assert names(tmp_path) == ["a.json"]


def test_a_failing_rename_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").mkdir()  # a file cannot replace a folder
    with pytest.raises(OSError, match=r"a\.bin"), atomic.writing(tmp_path / "a.bin") as file:
        file.write(b"new")
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0o000])
def test_permissions_are_those_of_a_plain_open(tmp_path: Path, umask: None, mask: int) -> None:
    os.umask(mask)
    (tmp_path / "plain").write_text("x")
    atomic.write_text(tmp_path / "ours", "x")
    ours, plain = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain"))
    assert ours == plain == 0o666 & ~mask
    assert os.umask(mask) == mask  # and the process's own mask is as it was


def test_everything_is_on_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"{os.fstat(descriptor).st_size} bytes"
        events.append(f"sync {kind}")
        fsync(descriptor)

    def replaced(source: str, target: Path) -> None:
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    atomic.write_text(tmp_path / "a.txt", "seven b")
    assert events == ["sync 7 bytes", "rename", "sync folder"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    script = f"""
import time
from pathlib import Path
from lab.files import atomic

with atomic.writing(Path({str(path)!r})) as file:
    file.write(b"new" * 100_000)
    file.flush()
    Path({str(tmp_path / "half-way")!r}).touch()
    time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    wait_for(lambda: (tmp_path / "half-way").exists() or process.poll() is not None)
    assert process.poll() is None, "the process has ended too soon"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.read_bytes() == b"old"
    leftovers = [name for name in names(tmp_path) if name.endswith(".tmp")]
    assert len(leftovers) == 1  # nothing could have removed it, but nobody takes it for the file
    assert leftovers[0].startswith(".a.bin.")
    atomic.write_text(path, "newer")
    assert path.read_text() == "newer"


@pytest.mark.parametrize("folder", [True, False])
def test_a_name_is_taken_at_the_end_or_never(tmp_path: Path, folder: bool, umask: None) -> None:
    os.umask(0o022)
    path = tmp_path / "deep" / "made"

    def make(fail: bool) -> None:
        with atomic.making(path) as temporary:
            assert not temporary.exists()
            if folder:
                temporary.mkdir()
                (temporary / "inner").mkdir()
            inside = temporary / "inner" / "file" if folder else temporary
            inside.write_bytes(b"content")
            inside.chmod(0o600)
            assert not path.exists()
            if fail:
                raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        make(fail=True)
    assert names(path.parent) == []
    make(fail=False)
    assert names(path.parent) == ["made"]
    written = path / "inner" / "file" if folder else path
    assert written.read_bytes() == b"content"
    assert stat.S_IMODE(written.stat().st_mode) == 0o644
    if folder:  # a folder with something in it is nobody's to replace
        with pytest.raises(OSError, match="not empty"), atomic.making(path) as temporary:
            temporary.mkdir()
        assert written.read_bytes() == b"content"
        assert names(path.parent) == ["made"]


@pytest.mark.parametrize("name", ["run", "n" * 255])
def test_a_folder_goes_all_at_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / name
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "state.json").write_text("{}")
    there: list[bool] = []
    really = shutil.rmtree

    def watched(path: Path) -> None:
        there.append(folder.exists())
        really(path)

    monkeypatch.setattr(shutil, "rmtree", watched)
    atomic.remove_folder(folder)
    assert there == [False]  # nobody finds it half deleted
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_an_ascii_locale_is_written_as_what_it_is() -> None:
    assert atomic.utf8(os.fsencode("λ").decode("ascii", "surrogateescape")) == "λ".encode()
    assert json.loads(atomic.utf8('"λ \udcff"')) == "λ \udcff"
