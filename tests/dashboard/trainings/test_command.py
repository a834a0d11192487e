"""A command of the lab that the server runs and waits for."""

from pathlib import Path

import pytest

from lab.dashboard.http_errors import ApiError
from lab.dashboard.trainings import command


def refused(root: Path, code: str, patience: float | None = None) -> str:
    (root / "some_command.py").write_text(code)
    with pytest.raises(ApiError) as error:
        command.output_of("some_command", [], root, failed="it failed", patience=patience, too_long="too long")
    assert error.value.status == 422
    return error.value.message


def test_what_it_prints_and_what_it_says_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "some_command.py").write_text("import os, sys; print(sys.argv[1:], os.getcwd())")
    assert command.output_of("some_command", ["a=b c"], tmp_path, failed="").strip() == f"['a=b c'] {tmp_path}"
    sentence = "no such option (error: 7)"
    said = f"import sys; print('a warning\\nerror: {sentence}', file=sys.stderr); sys.exit(1)"
    assert refused(tmp_path, said) == sentence
    assert refused(tmp_path, "1 / 0") == "it failed"
    assert refused(tmp_path, "import time; time.sleep(60)", patience=0.5) == "too long"
