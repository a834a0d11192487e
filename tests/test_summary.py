"""A model in figures, without building it."""

import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import lab

from lab.config import compose
from lab.config.schema import check


def test_a_summary_of_a_tower_builds_none_of_it(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab import summary

    monkeypatch.setattr(sys, "argv", ["summary", "model.n_layers=1000000000"])
    summary.main()
    assert "1000000000" in capsys.readouterr().out


def test_summary_counts_to_the_parameter(tmp_path: Path) -> None:
    for preset, total, inner in (
        ("nano", "17,670,400", "4,739,072"),
        ("small", "51,213,824", "25,220,096"),
        ("medium", "124,439,808", "85,056,000"),
        ("large", "354,823,168", "302,311,424"),
    ):
        done = lab(tmp_path, "summary", f"model={preset}") if preset == "small" else None
        text = done.out if done else _summary(preset)
        assert f"{total} ({inner} without embeddings)" in text
    assert lab(tmp_path, "summary", "model=tall").err.startswith("error: model=tall is unknown")


def _summary(preset: str) -> str:
    import contextlib
    import io

    from lab.summary import show

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        show(check(compose.compose_config([f"model={preset}"])))
    return out.getvalue()
