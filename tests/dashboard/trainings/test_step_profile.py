"""Measuring a run's steps from the page: what it refuses. That it measures is tested in the browser."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.config import compose
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import of_run
from lab.dashboard.settings import Settings
from lab.dashboard.trainings import step_profile
from lab.files.run_files import PROFILE_FILE


def options(*words: str) -> dict[str, Any]:
    from omegaconf import OmegaConf

    found = OmegaConf.to_container(compose.compose_config(list(words)), resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def refused(folder: Path, config: dict[str, Any]) -> str:
    def ask() -> None:
        settings = Settings(root=folder.parent, token="")
        step_profile.measure(folder, of_run.checked_words(config, settings), settings)

    with pytest.raises(ApiError) as error:
        ask()
    assert error.value.status in (409, 422)
    return error.value.message


def test_code_that_a_folder_names_is_not_run(tmp_path: Path) -> None:
    """Its config.yaml may be anybody's."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.py").write_text("raise SystemExit('ran')")
    config = options()
    config["model"]["norm"] = str(tmp_path / "run" / "mine.py") + ":Norm"
    assert "mine.py:Norm" in refused(tmp_path / "run", config)


def test_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with step_profile._measuring:
        assert "another run is being measured" in refused(tmp_path / "run", options())


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere.json").write_text("mine")
    (tmp_path / "run" / PROFILE_FILE).symlink_to(tmp_path / "elsewhere.json")
    assert "is a link" in refused(tmp_path / "run", options())


def test_what_a_command_says_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert "n_heads" in refused(tmp_path / "run", options("model.emb_dim=30", "model.n_heads=4"))
    assert step_profile.read(tmp_path / "run") == {}
    (tmp_path / "run" / PROFILE_FILE).write_text(json.dumps({"parts": 1}))
    assert step_profile.read(tmp_path / "run") == {"parts": 1}
