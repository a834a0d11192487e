"""What is written stays inside the root."""

import os
from pathlib import Path


def test_a_log_with_a_second_name_is_not_written_to(tmp_path: Path) -> None:
    from lab.dashboard.store.inside_root import appending

    (tmp_path / "mine").write_text("mine")
    os.link(tmp_path / "mine", tmp_path / "train.log")
    with appending(tmp_path / "train.log") as file:
        file.write(b" and more")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "train.log").read_text() == "mine and more"
