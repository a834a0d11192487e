"""The help of lab.train knows every option."""

from pathlib import Path

from support.commands import lab

from lab.config.choices import group_choices, group_names
from lab.config.groups import option_names


def test_help_is_complete(tmp_path: Path) -> None:
    done = lab(tmp_path, "train", "--help")
    assert done.code == 0
    for choice in (name for group in group_names() for name in group_choices(group)):
        assert choice in done.out
    options = [key for key in option_names() if key not in group_names() and not key.startswith("logger.")]
    assert len(options) > 40
    for key in options:
        assert f"  {key} " in done.out, key
    assert not list(tmp_path.iterdir())
