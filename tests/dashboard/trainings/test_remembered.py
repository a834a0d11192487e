"""What a server knew of ended runs, the next one knows at once, as long as it is still so."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.run_folders import write_run

from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.trainings import remembered
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.trainings.listing import Question
from lab.dashboard.trainings.processes import Jobs
from lab.files.run_files import EVENTS_FILE

OLD, NEW = "4.25", "3.75"


@contextmanager
def catalogue(root: Path) -> Iterator[Catalogue]:
    """That of a server at ``root`` which has read all runs, and ends."""
    settings = Settings(root, "token")
    runs = Runs(settings)
    made = Catalogue(runs, Jobs(settings, runs), root)
    try:
        made.look(seconds=60)
        yield made
    finally:
        made.close()


def losses(root: Path) -> dict[str, object]:
    with catalogue(root) as known:
        return {run.name: run.val_loss for run in known.known().values()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs that a server has read; then their logs say something else, with nothing to be seen from outside."""
    folders = [write_run(tmp_path / "outputs" / "day" / name, [5.0, float(OLD)], seed=7) for name in ("one", "two")]
    assert losses(tmp_path) == {"one": 4.25, "two": 4.25}
    for folder in folders:
        log = folder / EVENTS_FILE
        before = log.stat()
        text = log.read_text()
        with log.open("r+") as file:  # the same file, as large as it was
            file.write(text.replace(OLD, NEW))
        os.utime(log, ns=(before.st_atime_ns, before.st_mtime_ns))
    return tmp_path


def test_a_run_that_has_not_changed_is_not_read_again(root: Path) -> None:
    log = root / "outputs" / "day" / "two" / EVENTS_FILE
    os.utime(log)
    assert losses(root) == {"one": 4.25, "two": 3.75}
    shutil.rmtree(log.parent)
    write_run(log.parent, [5.0, 2.0])
    assert losses(root) == {"one": 4.25, "two": 2.0}
    with catalogue(root) as known:  # what lists are asked for is there, too
        assert [row.summary.name for row in known.answer(Question("seed=7 lr=1e-3")).rows] == ["one"]
    shutil.rmtree(log.parent)
    assert losses(root) == {"one": 4.25}
    with sqlite3.connect(root / remembered.FILE) as file:
        assert file.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    file.close()


def test_a_run_that_may_say_something_else_of_itself_is_read_again(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "outputs" / "day" / "damaged", [5.0])
    (folder / "state.json").write_text("{")
    assert losses(tmp_path) == {"damaged": 5.0}
    with sqlite3.connect(tmp_path / remembered.FILE) as file:
        assert file.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    file.close()


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def scribble(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def outdate(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 1")
    file.close()


def spoil(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("UPDATE runs SET summary = '{'")
    file.close()


def block(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [tear, scribble, outdate, spoil, block])
def test_what_cannot_be_read_is_left_aside(root: Path, harm: Callable[[Path], None]) -> None:
    harm(root / remembered.FILE)
    assert losses(root) == {"one": 3.75, "two": 3.75}
    assert losses(root) == {"one": 3.75, "two": 3.75}
