"""No code out of the folder that is shown."""

import os
import sys
from pathlib import Path

import pytest
from support.commands import ROOT

from lab.dashboard import module_path


def test_the_folder_we_are_in_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is named by the environment in a way that means another folder for a training."""
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(ROOT), *sys.path])
    monkeypatch.setenv("PYTHONPATH", f"sub{os.pathsep}{os.pathsep}{ROOT}")
    monkeypatch.setenv("PYTHONSAFEPATH", "")  # so that what is set here goes again
    module_path.leave_out_here()
    assert str(tmp_path) not in sys.path
    assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(tmp_path / "sub"), str(ROOT)]


def test_a_lab_that_lies_there_goes_on_being_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", ["", *(path for path in sys.path if path not in ("", str(ROOT)))])
    monkeypatch.setattr(module_path, "_is_found", lambda: False)  # not installed: it was found because we are here
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    module_path.leave_out_here()
    assert sys.path[0] == str(ROOT)
    assert os.environ["PYTHONPATH"] == str(ROOT)
