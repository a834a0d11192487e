"""The dashboard's page as far as Python has to do with it: its types are the server's, and one command builds it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import ROOT, lab

from lab.dashboard import build
from lab.errors import LabError

FRONTEND = ROOT / "lab" / "dashboard" / "frontend"


def test_the_page_knows_the_schema_of_this_server() -> None:
    """If not: ``python -m lab.dashboard --openapi > openapi.json`` in the frontend's folder, then ``npm run types``."""
    pytest.importorskip("fastapi")
    command = [sys.executable, "-m", "lab.dashboard", "--openapi"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads((FRONTEND / "openapi.json").read_text(encoding="utf-8"))


def test_the_lock_file_holds_no_hosts_to_download_from() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    assert len(lock["packages"]) > 100
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, on a machine where PyPI's Node is not installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    return tmp_path


def test_without_node_it_says_what_to_install(only_path: Path) -> None:
    with pytest.raises(LabError, match=r"needs Node 20\.19 or newer, and there is none here: .*\.\[page\]"):
        build.find_node()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Node")
@pytest.mark.parametrize(("version", "fits"), [("v20.18.3", False), ("v20.19.0", True), ("v24.1.0", True)])
def test_an_old_node_is_refused(only_path: Path, version: str, fits: bool) -> None:
    _program(only_path, "node", f"echo {version}")
    _program(only_path, "npm", "exit 0")
    if fits:
        assert build.find_node().npm == [str(only_path / "npm")]
    else:
        with pytest.raises(LabError, match=r"node is version 20\.18"):
            build.find_node()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Node")
def test_a_failing_step_is_named(only_path: Path) -> None:
    _program(only_path, "node", "echo v22.12.0")
    _program(only_path, "npm", "exit 3")
    with pytest.raises(LabError, match=r"npm ci .*failed with exit code 3"):
        build.build()


def test_it_is_built_from_a_clone_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "FRONTEND", tmp_path)
    with pytest.raises(LabError, match="part of a clone"):
        build.build()


def test_the_first_load_is_small() -> None:
    """Everything that the list of runs needs, as it goes over the wire: under 320 kB."""
    if not (build.STATIC / ".vite" / "manifest.json").is_file():
        pytest.skip("the page is not built: python -m lab.dashboard.build")
    manifest = json.loads((build.STATIC / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    wanted, seen = ["index.html", "src/pages/Runs.tsx"], set()
    files = set()
    while wanted:
        chunk = wanted.pop()
        if chunk not in seen:
            seen.add(chunk)
            files |= {manifest[chunk]["file"], *manifest[chunk].get("css", [])}
            wanted += manifest[chunk].get("imports", [])
    packed = [build.STATIC / f"{file}.gz" for file in files]
    assert len(packed) > 5
    size = sum((path if path.is_file() else path.with_suffix("")).stat().st_size for path in packed)
    assert size < 320_000, size


def test_help_of_the_build_builds_nothing(tmp_path: Path) -> None:
    done = lab(tmp_path, "dashboard.build", "--help", env={"PATH": str(tmp_path)})  # there is no npm to run
    assert (done.code, done.err) == (0, "")
    assert "python -m lab.dashboard.build" in done.out
    done = lab(tmp_path, "dashboard.build", "--fast", env={"PATH": str(tmp_path)})
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: unrecognized arguments: --fast")
