"""What there is to train on, and under which names texts may be uploaded."""

from pathlib import Path

import pytest

from lab.config.corpora import preset
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import corpora
from lab.dashboard.settings import Settings


@pytest.mark.parametrize("name", ["my tale", "Tale-1", "a.b_c", "x" * 64])
def test_a_name_becomes_a_file_among_the_uploads(name: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path, "")
    assert corpora.upload_path(name, settings) == settings.uploads / f"{name}.txt"


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\\b", "x" * 65, "a\0", "a\n", "end.", "end ", "~"])
def test_a_name_that_leads_elsewhere_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(ApiError) as refused:
        corpora.upload_path(name, Settings(tmp_path, ""))
    assert (refused.value.status, refused.value.field) == (422, "name")


def test_uploads_are_plain_texts_by_name(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "")
    assert list(corpora.uploaded(settings)) == []
    settings.uploads.mkdir(parents=True)
    for name in ("b.txt", "a.txt", "c.md", ".x.txt"):
        (settings.uploads / name).write_text("a text")
    (settings.uploads / "link.txt").symlink_to("/etc/hostname")
    (settings.uploads / "folder.txt").mkdir()
    assert [path.name for path in corpora.uploaded(settings)] == ["a.txt", "b.txt"]
    (first, second) = [info for info in corpora.listed(settings) if info.source == "upload"]
    assert (first.name, second.name, first.bytes, first.here) == ("a", "b", 6, True)
    assert first.overrides == {"corpus": "text", "corpus.path": "outputs/.corpora/a.txt"}


def test_the_bundled_texts_are_here_and_count_exactly(tmp_path: Path) -> None:
    listed = {info.name: info for info in corpora.listed(Settings(tmp_path, ""))}
    assert {"fables", "stdlib"} <= listed.keys()
    assert not {"text", "hf", "bin", "mix"} & listed.keys()  # they need to be told of what
    assert listed["fables"].here
    assert (listed["grammar"].here, listed["grammar"].bytes) == (True, None)
    assert corpora.size(preset("fables"), tmp_path) == (53_771, True)
