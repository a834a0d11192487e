"""What is written stays inside the root."""

import os
from pathlib import Path

import pytest

from lab.dashboard.http_errors import ApiError
from lab.dashboard.store import inside_root


def test_a_log_with_a_second_name_is_not_written_to(tmp_path: Path) -> None:
    from lab.dashboard.store.inside_root import appending

    (tmp_path / "mine").write_text("mine")
    os.link(tmp_path / "mine", tmp_path / "train.log")
    with appending(tmp_path / "train.log") as file:
        file.write(b" and more")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "train.log").read_text() == "mine and more"


def test_a_link_on_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "real" / "run").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    inside_root.refuse_links_to(tmp_path / "real" / "run" / "new", tmp_path)
    with pytest.raises(ApiError, match=r"link is a link, and nothing is written through links"):
        inside_root.refuse_links_to(tmp_path / "link" / "run", tmp_path)
    inside_root.refuse_links_to(tmp_path / "link" / "run", tmp_path / "link")  # the root may be a link itself


def test_a_training_folder_from_which_something_leads_out(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "deep").mkdir(parents=True)
    (run / "deep" / "file").touch()
    (run / "inner").symlink_to(run / "deep")
    inside_root.refuse_links_in(run)
    (tmp_path / "run-2").mkdir()  # whose name begins alike
    (run / "deep" / "out").symlink_to(tmp_path / "run-2")
    with pytest.raises(ApiError, match=r"deep/out is a link that leads out"):
        inside_root.refuse_links_in(run)
    (run / "deep" / "out").unlink()
    os.mkfifo(run / "deep" / "pipe")
    with pytest.raises(ApiError, match="neither a file nor a folder"):
        inside_root.refuse_links_in(run)


def test_a_log_goes_on_where_it_ends_and_never_through_a_link(tmp_path: Path) -> None:
    for word in (b"one", b" two"):
        with inside_root.appending(tmp_path / "train.log") as file:
            file.write(word)
    assert (tmp_path / "train.log").read_bytes() == b"one two"
    (tmp_path / "link").symlink_to(tmp_path / "train.log")
    with pytest.raises(OSError, match=r"\w"):
        inside_root.appending(tmp_path / "link")
