"""Paths arrive as they are typed, whatever is in them, by every option, flag and variable that takes one."""

import importlib
import os
import sys
from pathlib import Path

import pytest
from support.commands import TINY, train_here

from lab.data import corpus, download, token_file
from lab.errors import LabError
from lab.files.paths import settle_variables, shown, typed_path

SHORT = (*TINY, "trainer.max_steps=1", "data.max_train_tokens=200", "data.max_val_tokens=50", "logger=none")

NAMES = [
    "runs/lr=1e-3, b",
    "été 🦊",
    "runs/#1",
    "runs/o'brien (1)",
    "[a,b]",
    "{a:b*?}",
    'say "hi" & $x; 50%',
    "back\\slash\\",
    " blanks ",
    "-m",
    "null",
    "1e3",
    "'q'",
    "???",
    "new\nline",
    "~nosuchuser",
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of our own."""
    home = tmp_path / "home [1]"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.mark.parametrize("name", NAMES)
def test_a_run_folder_has_the_name_that_was_typed(tmp_path: Path, name: str) -> None:
    done = train_here(tmp_path, *SHORT, f"hydra.run.dir={name}")
    assert done.code == 0, done.err
    assert list(tmp_path.rglob("results.json")) == [tmp_path / name / "results.json"]
    assert not [folder for folder in tmp_path.rglob("*") if folder.is_dir() and not os.listdir(folder)]


def test_a_home_is_a_home_where_there_is_one(tmp_path: Path, home: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    assert train_here(here, *SHORT, "save=true", "hydra.run.dir=~/runs/a").code == 0
    assert (home / "runs/a/results.json").is_file()
    assert os.listdir(here) == []
    done = train_here(here, "resume=~/runs/a", "trainer.max_steps=2", "++hydra.run.dir=~/runs/b")
    assert done.code == 0, done.err
    assert (home / "runs/b/results.json").is_file()
    done = train_here(here, "-m", *SHORT, "seed=1", "hydra.sweep.dir=~/a, b", "hydra.sweep.subdir=lr=${optimizer.lr}")
    assert done.code == 0, done.err
    assert (home / "a, b/lr=0.0003/results.json").is_file()
    assert os.listdir(here) == []


def test_interpolations_of_hydras_are_what_they_are(tmp_path: Path) -> None:
    done = train_here(tmp_path, *SHORT, "hydra.run.dir=${unused_folder:out/${model.emb_dim}}/s (${seed})")
    assert done.code == 0, done.err
    assert (tmp_path / "out/32/s (42)/results.json").is_file()
    for name in ("a${x}", "${model}", "${nosuch:1}", "\\${seed}"):
        done = train_here(tmp_path, *SHORT, f"hydra.run.dir={name}")
        assert done.code == 1
        assert done.err.startswith(f"error: hydra.run.dir={name}: Hydra makes no folder")
    assert os.listdir(tmp_path) == ["out"]


def test_a_refused_run_leaves_no_folder(tmp_path: Path) -> None:
    for wrong in (["optimizer.lrr=1"], ["optimizer.lr=fast"], ["hydra.run.dir="]):
        done = train_here(tmp_path, *SHORT, "hydra.run.dir=chosen", *wrong)
        assert done.code == 1
        assert len(done.err.splitlines()) == 1
    assert os.listdir(tmp_path) == []


def test_a_path_is_literal_unless_it_begins_in_a_home(tmp_path: Path, home: Path) -> None:
    assert typed_path("~/a b", tmp_path) == home / "a b"
    assert typed_path("~", tmp_path) == home
    assert typed_path("~root/x", tmp_path) == Path("/root/x")
    for name in ("~draft.txt", "~nosuchuser/x", "a~", "$HOME", "%TEMP%", " x "):
        assert typed_path(name, tmp_path) == tmp_path / name
    assert typed_path("/x", tmp_path) == Path("/x")
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "a b").touch()
    assert typed_path("~/a b", tmp_path) == tmp_path / "~/a b"
    assert typed_path("~/other", tmp_path) == home / "other"
    for name in ("x" * 300, "~/" + "x" * 300, "a\0b"):
        with pytest.raises(LabError, match="is of no use"):
            typed_path(name, tmp_path)


def test_a_text_is_found_by_every_way_to_its_name(tmp_path: Path, home: Path) -> None:
    (tmp_path / "~draft.txt").write_text("draft")
    for name in ("one.md", "two.md"):
        (home / name).write_text(name)
    assert corpus.find_files("~draft.txt", tmp_path) == [tmp_path / "~draft.txt"]
    assert corpus.find_files("~draf*", tmp_path) == [tmp_path / "~draft.txt"]
    assert corpus.find_files("~/*.md", tmp_path) == [home / "one.md", home / "two.md"]
    for name in ("~nosuchuser/x", "x" * 300):
        with pytest.raises(LabError, match=r"~nosuchuser/x|is of no use"):
            corpus.find_files(name, tmp_path)


def test_variables_name_folders_likewise(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, folder in (("LAB_CACHE", token_file.cache_folder), ("LAB_CORPORA", download.corpora_folder)):
        monkeypatch.setenv(variable, "~/x y")
        assert folder() == home / "x y"
        monkeypatch.setenv(variable, "~nosuchuser")
        assert folder() == tmp_path / "~nosuchuser"
        settle_variables()
        monkeypatch.chdir("/")
        assert folder() == tmp_path / "~nosuchuser"
        monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", "$HOME/hub")
    settle_variables()
    assert os.environ["HF_HOME"] == f"{home}/hub"


@pytest.mark.parametrize(
    ("command", "option", "more"),
    [
        ("generate", "checkpoint=", []),
        ("generate", "prompt_file=", []),
        ("evaluate", "task=", []),
        ("export", "checkpoint=", ["to=~/new"]),
        ("export", "to=", ["checkpoint=~/no.ckpt"]),
        ("inspect", "to=", ["checkpoint=~/no.ckpt", "prompt=x"]),
        ("train", "resume=", []),
        ("train", "init_from=", []),
        ("control", "", ["status"]),
        ("dashboard.__main__", "--root=", []),
    ],
)
def test_every_command_takes_a_path_alike(
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    option: str,
    more: list[str],
) -> None:
    """Each gets as far as saying that nothing is there, and where it has looked."""
    monkeypatch.chdir(tmp_path)
    for path, meant in (("~nosuchuser/x y", tmp_path / "~nosuchuser/x y"), ("~/x", home / "x")):
        if option == "to=":
            meant.mkdir(parents=True)
            (meant / "mine").touch()
        monkeypatch.setattr(sys, "argv", ["lab", option + path, *more])
        with pytest.raises(SystemExit) as stop:
            importlib.import_module(f"lab.{command}").main()
        assert stop.value.code == 1
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert len(said.splitlines()) == 1
        found = home if (command, option) == ("inspect", "to=") else meant.relative_to(tmp_path)
        assert option == "prompt_file=" or str(found) in said
    assert not (tmp_path / "~").exists()


def test_a_path_to_paste_is_quoted_where_it_must_be(tmp_path: Path) -> None:
    assert shown(tmp_path / "runs/a", tmp_path) == "runs/a"
    assert shown(tmp_path / "o'brien $x", tmp_path) == "'o'\"'\"'brien $x'"
    assert shown(tmp_path / "-m", tmp_path) == "./-m"
    assert shown(tmp_path / "~", tmp_path) == "'./~'"
    assert shown(tmp_path / "auto", tmp_path) == "./auto"
    assert shown(Path("/x y"), tmp_path) == "'/x y'"


def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number in a container, say, without a line in its list of users."""
    import pwd
    import tempfile

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("HOME", "XDG_CACHE_HOME", "LAB_CACHE", "LAB_CORPORA"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = tmp_path / f"gpt-lab-{os.getuid()}"
    taken.mkdir()
    taken.chmod(0o777)  # somebody else could have laid something there
    assert train_here(tmp_path, *TINY, "trainer.max_steps=1").code == 0
    assert not list(taken.iterdir())
    (ours,) = (path for path in tmp_path.glob("gpt-lab-*") if path != taken)
    assert list(ours.rglob("*.bin")) or list(ours.rglob("tokens/*"))
    assert ours.stat().st_mode & 0o077 == 0
