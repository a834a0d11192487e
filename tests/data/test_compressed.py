"""Packed files and Parquet hold the same documents as plain ones, and say so where they don't."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.commands import TINY, tiny, train_here

from lab.data import compressed
from lab.data.corpus import documents
from lab.data.text_files import find
from lab.errors import LabError

STORIES = ["one\nwith two lines", "", "zwei 🦊", "x" * 3_000_000]


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


def texts(file: Path, **options: str) -> list[str]:
    return ["".join(document) for document in documents([file], **options)]


def lines(stories: list[str], field: str = "text") -> bytes:
    return "".join(json.dumps({field: story, "n": 7}) + "\n" for story in stories).encode()


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_text_is_the_text(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a.txt{ending}"
    file.write_bytes(PACK[ending](STORIES[3].encode() + STORIES[2].encode()))
    assert texts(file) == [STORIES[3] + STORIES[2]]
    assert max(map(len, next(documents([file])))) <= 1 << 20


@pytest.mark.parametrize("ending", PACK)
def test_packed_json_lines(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a.JSONL{ending.upper()}"
    file.write_bytes(PACK[ending](lines(STORIES, "body")))
    assert texts(file, column="body") == STORIES
    with pytest.raises(LabError, match=r'line 1: .*"text".*its fields are body, n: corpus\.column= takes another'):
        texts(file)


@pytest.mark.parametrize("ending", PACK)
def test_several_packed_streams_one_behind_the_other(tmp_path: Path, ending: str) -> None:
    """As ``cat a.gz b.gz`` makes them, and programs that pack on all cores."""
    file = tmp_path / f"a.txt{ending}"
    file.write_bytes(PACK[ending](b"one ") + PACK[ending](b"two"))
    assert texts(file) == ["one two"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("inner", [".txt", ".jsonl"])
@pytest.mark.parametrize("damage", ["torn", "torn early", "other", "flipped"])
def test_a_torn_file_is_one_sentence(tmp_path: Path, ending: str, inner: str, damage: str) -> None:
    file = tmp_path / f"a{inner}{ending}"
    whole = PACK[ending](lines(["a fox"] * 1000) + lines([str(n) for n in range(50_000)]))
    middle = len(whole) // 2
    file.write_bytes(
        {
            "torn": whole[:-9],
            "torn early": whole[:3],
            "other": lines(["no archive"]),
            "flipped": whole[:middle] + bytes(255 - byte for byte in whole[middle:]),
        }[damage]
    )
    with pytest.raises(LabError) as told:
        texts(file)
    assert str(file) in str(told.value)
    assert "\n" not in str(told.value)
    assert "torn" in str(told.value) or damage == "flipped"


def test_without_the_library_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    for name in ("a.parquet", "a.txt.zst"):
        (tmp_path / name).touch()
        with pytest.raises(LabError, match=r"needs the library pyarrow: pip install 'gpt-lab\[corpora\]'"):
            texts(tmp_path / name)


def test_a_folder_of_all_kinds_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    (folder / "c").mkdir(parents=True)
    (folder / "a.txt.gz").write_bytes(gzip.compress(b"the first fox " * 50))
    (folder / "b.jsonl.zst").write_bytes(zstd(lines(["the second " * 30, "the third " * 30])))
    pq.write_table(pa.table({"text": ["the fourth " * 30]}), folder / "c" / "1.parquet")
    (folder / "d.md").write_text("the fifth " * 30)
    for name in ("picture.png", "other.png", "settings.yaml.gz"):
        (folder / name).write_bytes(b"\0")
    found = find(str(folder), tmp_path)
    assert [text[:12].split()[1] for text in (t for file in found.files for t in texts(file))] == [
        *("first", "second", "third", "fourth", "fifth")
    ]
    done = tiny(tmp_path, "corpus=text", "corpus.path=mixed", "trainer.max_steps=2", "data.val_fraction=0.2")
    assert "5 documents in 4 files" in done.out
    assert "other endings: 3 (2 .png, 1 .yaml.gz; other.png, ...)" in done.out
    assert done.results["corpus"]["left_out"] == {"other endings": 3}


def test_a_folder_of_thousands_of_files(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number:04}.txt").write_text(f"fox {number}")
    found = find(str(tmp_path), tmp_path)
    assert [text for file in found.files for text in texts(file)] == [f"fox {number}" for number in range(3000)]


def test_what_was_once_refused_trains(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"the fox and the crow " * 100))
    tiny(tmp_path, "corpus=text", "corpus.path=a.txt.gz", "trainer.max_steps=2")
    (tmp_path / "b.txt.gz").write_bytes((tmp_path / "a.txt.gz").read_bytes()[:-5])
    done = train_here(tmp_path, *TINY, "corpus=text", "corpus.path=b.txt.gz", "trainer.max_steps=2")
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert "b.txt.gz is torn" in done.err


def test_the_first_documents_alone(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines([f"the fox number {n} and the crow" for n in range(100)]))
    options = ("corpus=text", "corpus.path=a.jsonl", "trainer.max_steps=2")
    assert "read       40 documents" in tiny(tmp_path, *options, "corpus.max_documents=40").out


def test_the_ending_that_counts() -> None:
    assert [compressed.ending(Path(name)) for name in ("a.JSONL.GZ", "a.gz", "a.txt", "a.tar.zst")] == [
        *(".jsonl", "", ".txt", ".tar")
    ]
