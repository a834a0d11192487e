"""Which files are found among other things: one rule for folders and patterns, the same on every machine."""

import json
import os
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import pytest
from support.commands import ROOT, TINY, train_here

from lab.data import tree_walk
from lab.data.text_files import find
from lab.errors import LabError

TALE = "The hare and the mole shared a field, and the fox counted the furrows.\n" * 40


def lay(folder: Path, *names: str, text: str = TALE) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def found(folder: Path, path: str = ".") -> list[str]:
    return [file.relative_to(folder).as_posix() for file in find(path, folder).files]


RUN = ("config.yaml", "events.jsonl", "results.json", "state.json", "notes.txt")
EXPORT = ("config.json", "model.safetensors", "merges.txt", "README.md")

LEFT_OUT = {
    "hidden": [".git/x.txt", ".venv/y.py", ".a.txt"],
    "runs": [f"{run}/{name}" for run in ("outputs/2026-01-01/10-00-00-nano-text", "mine/a") for name in RUN],
    "exported models": [f"my-model/{name}" for name in EXPORT],
    "figures of lab.inspect": ["inside/internals.json", "inside/a.txt"],
    "virtual environments": ["env of mine/pyvenv.cfg", "env of mine/a.py", "conda/conda-meta/a.txt"],
    "installed packages": ["node_modules/a.md", "lib/site-packages/b.py", "x.egg-info/SOURCES.txt"],
    "caches": ["__pycache__/a.py", "any/CACHEDIR.TAG", "any/a.txt"],
    "built packages": ["project/setup.py", "project/build/a.py", "project/dist/a.txt"],
}


@pytest.mark.parametrize("path", [".", "**/*", "**/*.*"])
def test_what_programs_left_is_left_out_and_told(tmp_path: Path, path: str) -> None:
    wanted = ["a.txt", "build/b.txt", "outputs/notes.txt", "project/setup.py"]
    lay(tmp_path, *wanted, *(name for names in LEFT_OUT.values() for name in names))
    all_of_it = find(path, tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in all_of_it.files] == wanted
    assert all_of_it.n_bytes == len(wanted) * len(TALE)
    assert all_of_it.left_out.keys() == LEFT_OUT.keys()
    assert all_of_it.left_out["runs"] == 2
    assert "exported models: 1 (my-model)" in all_of_it.told()


def test_what_is_named_outright_is_taken(tmp_path: Path) -> None:
    lay(tmp_path, *(name for names in LEFT_OUT.values() for name in names))
    for name in ("my-model/merges.txt", ".git/x.txt", "mine/a/events.jsonl", "inside/internals.json"):
        assert found(tmp_path, name) == [name]
    assert found(tmp_path, ".git") == [".git/x.txt"]
    assert found(tmp_path, ".*/*.txt") == [".git/x.txt"]
    assert found(tmp_path, "node_modules/*") == ["node_modules/a.md"]
    # Of a run or an export that was named outright, what makes it one is no text.
    assert found(tmp_path, "mine/a") == ["mine/a/notes.txt"]
    with pytest.raises(LabError, match=r"no text in it .*; left out were exported models: 4"):
        find("my-model", tmp_path)


def test_the_labs_own_caches_are_left_out(tmp_path: Path) -> None:
    lay(tmp_path, "a.txt", "tokens/b.txt", "fetched/c.txt")
    caches = (tmp_path / "tokens", tmp_path / "fetched", tmp_path / "gone")
    assert find(".", tmp_path, caches).files == [tmp_path / "a.txt"]
    assert find(".", tmp_path, caches).left_out == {"caches": 2}
    assert find("tokens", tmp_path, caches).files == [tmp_path / "tokens" / "b.txt"]


def test_a_second_training_reads_what_the_first_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "a.txt", "b/c.md")
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "tokens"))
    options = (*TINY, "trainer.max_steps=1", "corpus=text")
    first = train_here(tmp_path, *options, "corpus.path=.", "save=true")
    assert first.code == 0, first.err
    from lab.export import Options, export

    export(Options(checkpoint=str(first.run), to=str(tmp_path / "my-model")), tmp_path)
    for extra in (["corpus.path=."], ["corpus.path=**/*.*"], ["corpus.path=.", f"hydra.run.dir={tmp_path}/runs/a"]):
        again = train_here(tmp_path, *options, *extra)
        assert again.code == 0, again.err
        read = json.loads(
            (again.run if len(extra) == 1 else tmp_path / "runs" / "a").joinpath("results.json").read_text()
        )
        assert read["corpus"]["fingerprint"] == first.results["corpus"]["fingerprint"]
        assert (read["corpus"]["files"], read["corpus"]["bytes"]) == (2, 2 * len(TALE))
        assert read["corpus"]["left_out"]["exported models"] == 1
        assert "read 2 documents in 2 files, 5,680 bytes" in " ".join(again.out.split())
        assert "exported models: 1 (my-model)" in again.out


@pytest.mark.parametrize("path", ["links", "links/**/*.txt", "links/**"])
def test_loops_end(tmp_path: Path, path: str) -> None:
    lay(tmp_path, "links/deep/a.txt", "beside.txt")
    (tmp_path / "links" / "self").symlink_to(".")
    (tmp_path / "links" / "deep" / "up").symlink_to("..")
    (tmp_path / "links" / "out").symlink_to(tmp_path)  # the folder that all of it lies in
    (tmp_path / "links" / "b.txt").symlink_to("b.txt")
    assert found(tmp_path, path) == ["links/deep/a.txt"]
    assert find(path, tmp_path).left_out == {"links that lead nowhere": 1, "second names": 3}


@pytest.mark.parametrize("path", ["here", "here/**/*.txt"])
def test_links_are_followed_and_each_real_file_is_taken_once(tmp_path: Path, path: str) -> None:
    lay(tmp_path, "here/z/own.txt", "there/linked.txt")
    (tmp_path / "here" / "a").symlink_to("z")  # comes first, and is only a second name
    (tmp_path / "here" / "b.txt").symlink_to("z/own.txt")
    (tmp_path / "here" / "c").symlink_to(tmp_path / "there")
    (tmp_path / "here" / "d").symlink_to(tmp_path / "there")
    os.link(tmp_path / "here" / "z" / "own.txt", tmp_path / "here" / "z" / "own too.txt")
    (tmp_path / "here" / "gone.txt").symlink_to("nowhere.txt")
    assert found(tmp_path, path) == ["here/c/linked.txt", "here/z/own too.txt"]
    assert find(path, tmp_path).left_out == {"links that lead nowhere": 1, "second names": 4}


def test_a_pattern_may_lead_through_a_folder_that_lies_elsewhere_as_well(tmp_path: Path) -> None:
    lay(tmp_path, "real/sub/sub/a.txt")
    (tmp_path / "link").symlink_to("real/sub")
    assert found(tmp_path, "*/sub/*.txt") == ["link/sub/a.txt"]


@pytest.mark.parametrize("path", ["tales", "tales/**/*.txt"])
def test_a_folder_that_cannot_be_read_is_no_gap(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "tales/a.txt", "tales/locked/b.txt")
    scandir = os.scandir

    def refusing(folder: Path) -> object:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(tree_walk.os, "scandir", refusing)
    with pytest.raises(LabError, match=r"tales/locked cannot be read \(Permission denied\)"):
        find(path, tmp_path)
    assert found(tmp_path, "tales/*.txt") == ["tales/a.txt"]  # nobody asks for what is in there


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    lay(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "null.txt").symlink_to("/dev/null")
    assert found(tmp_path) == ["a.txt"]
    assert find("*.txt", tmp_path).left_out == {"no plain files": 2}
    with pytest.raises(LabError, match=r"pipe\.txt is no plain file"):
        find("pipe.txt", tmp_path)


def test_the_order_is_that_of_the_names_everywhere(tmp_path: Path) -> None:
    names = ["B.txt", "a b/c.txt", "a-b.txt", "a/z.txt", "a.txt", "b.txt", "e\u0301.txt", "f.txt", "\u00e8.txt"]
    lay(tmp_path, *names)
    # Some systems keep an accent apart from its letter; the place in the order is that of the whole letter.
    by_parts = sorted(names, key=lambda name: unicodedata.normalize("NFC", name).split("/"))
    assert found(tmp_path) == found(tmp_path, "**/*.txt") == by_parts
    assert by_parts.index("B.txt") == 0
    assert by_parts.index("a/z.txt") < by_parts.index("a b/c.txt") < by_parts.index("a-b.txt")


@pytest.mark.parametrize("locked", ["locked", "locked.txt"])
def test_what_really_may_not_be_read_is_a_sentence(locked: str) -> None:
    """As somebody who is not the superuser, who may read everything, in a folder that anybody may enter."""
    code = (
        "import sys; from pathlib import Path; from lab.data.corpus import *; list(map(list, documents(find_files('.', "
    )
    command = [sys.executable, "-c", f"{code}Path(sys.argv[1])))))"]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--clear-groups", *command]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        lay(folder, "a.txt", locked if locked.endswith(".txt") else f"{locked}/b.txt")
        if subprocess.run([*command, name], cwd=ROOT, capture_output=True, check=False).returncode:
            pytest.skip("there is nobody else here who could run the lab")
        (folder / locked).chmod(0)
        done = subprocess.run([*command, name], cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
        (folder / locked).chmod(0o755)
    assert f"{locked} cannot be read" in done.stderr
    assert "Permission denied" in done.stderr
