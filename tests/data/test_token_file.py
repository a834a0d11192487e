"""Token files: the same tokens as in one go, made once, and believed only while they are whole."""

import json
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.commands import ROOT
from support.waiting import wait_for

from lab.data import stamps, token_file
from lab.data.corpus import Document
from lab.data.token_file import Origin, TokenFile, cache_folder, tokenize
from lab.errors import LabError
from lab.tokenizer import Tokenizer

TOKENIZER = Tokenizer()
END = TOKENIZER.endoftext


class Counting(Tokenizer):
    """Knows what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode_array(self, text: str) -> np.ndarray:
        self.encoded.append(text)
        return super().encode_array(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache" / "tokens"))
    return tmp_path / "cache" / "tokens"


def reader(*stories: str) -> Callable[[], Iterator[Document]]:
    return lambda: (iter([story]) for story in stories)


def test_a_text_of_several_real_chunks(folder: Path) -> None:
    """Millions of characters in pieces of a megabyte: the threads must give them back in order."""
    words = np.random.default_rng(0).choice(["the", "fox", "1984", "Löwe", "\n\n", "'ll", "  "], 900_000)
    text = " ".join(words)
    pieces = [text[start : start + (1 << 20)] for start in range(0, len(text), 1 << 20)]
    tokenizer = Counting()
    found = tokenize(lambda: iter([iter(pieces), iter(["the end"])]), tokenizer)
    assert len(tokenizer.encoded) >= 3
    assert found.n_bytes == len(text.encode()) + len("the end")
    assert np.array_equal(
        found.open(), np.array([*TOKENIZER.encode(text), END, *TOKENIZER.encode("the end")], dtype=np.uint16)
    )


def test_what_is_written(folder: Path) -> None:
    found = tokenize(reader("A fox.", "", "Ein Löwe.", ""), TOKENIZER)
    expected = [*TOKENIZER.encode("A fox."), END, *TOKENIZER.encode("Ein Löwe.")]
    assert found.path.parent == folder
    assert found.path.read_bytes() == np.array(expected, dtype="<u2").tobytes()
    assert (found.n_tokens, found.n_documents, found.n_bytes) == (len(expected), 2, len("A fox.Ein Löwe.".encode()))
    assert found.checksum == zlib.crc32(found.path.read_bytes())
    tokens = found.open()
    assert isinstance(tokens, np.memmap)
    assert tokens.tolist() == expected
    # Every byte of the text is in a token: what bits_per_byte divides by.
    assert TOKENIZER.byte_lengths()[tokens].sum() == found.n_bytes


def test_the_second_call_only_looks_it_up(folder: Path) -> None:
    first, second = Counting(), Counting()
    made = tokenize(reader("A fox.", "A lion."), first)
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert tokenize(reader("A fox.", "A lion."), second) == made
    assert (len(first.encoded), len(second.encoded)) == (2, 0)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_other_texts_are_other_files(folder: Path) -> None:
    stories = [["ab"], ["a", "b"], ["ab "], ["b", "a"], ["abc"], ["a<|endoftext|>b"]]
    assert len({tokenize(reader(*story), TOKENIZER).path for story in stories}) == len(stories)
    # Where the reads end, and what is empty, is not part of the text.
    same = [["ab"], ["", "ab"], ["ab", ""]]
    assert len({tokenize(reader(*story), TOKENIZER).path for story in same}) == 1
    assert tokenize(lambda: iter([iter(["a", "", "b"])]), TOKENIZER) == tokenize(reader("ab"), TOKENIZER)


def test_another_tokenizer_is_another_file(folder: Path) -> None:
    other = Counting()
    other.name = "gpt3"
    assert tokenize(reader("ab"), TOKENIZER).path != tokenize(reader("ab"), other).path


def torn(made: TokenFile) -> None:
    made.path.write_bytes(made.path.read_bytes()[:-2])


def emptied(made: TokenFile) -> None:
    made.path.write_bytes(b"")


def flipped(made: TokenFile) -> None:
    data = bytearray(made.path.read_bytes())
    data[3] ^= 1
    made.path.write_bytes(data)


def longer(made: TokenFile) -> None:
    made.path.write_bytes(made.path.read_bytes() + b"\0\0")


def gone(made: TokenFile) -> None:
    made.path.unlink()


def undescribed(made: TokenFile) -> None:
    made.path.with_suffix(".json").unlink()


def described_as(content: str) -> Callable[[TokenFile], None]:
    def foreign(made: TokenFile) -> None:
        made.path.with_suffix(".json").write_text(content, encoding="latin1")

    return foreign


def with_fields(**changes: object) -> Callable[[TokenFile], None]:
    def changed(made: TokenFile) -> None:
        description = made.path.with_suffix(".json")
        description.write_text(json.dumps({**json.loads(description.read_text()), **changes}))

    return changed


def beyond_the_vocabulary(made: TokenFile) -> None:
    data = made.path.read_bytes()[:-2] + (60_000).to_bytes(2, "little")
    made.path.write_bytes(data)
    with_fields(checksum=zlib.crc32(data))(made)


@pytest.mark.parametrize(
    "damage",
    [
        torn,
        emptied,
        flipped,
        longer,
        gone,
        undescribed,
        *map(described_as, ("", "{", "[]", "null", "7", "{}", '{"n_tokens": 2}', "\xff")),
        with_fields(fingerprint="0" * 64),
        with_fields(n_tokens=3),
        with_fields(checksum=0),
        with_fields(surplus=1),
        with_fields(n_tokens=None),
        with_fields(n_documents="many"),
        beyond_the_vocabulary,
    ],
)
def test_a_damaged_file_is_made_anew(folder: Path, damage: Callable[[TokenFile], None]) -> None:
    made = tokenize(reader("A fox.", "A lion."), TOKENIZER)
    whole = made.path.read_bytes()
    damage(made)
    tokenizer = Counting()
    assert tokenize(reader("A fox.", "A lion."), tokenizer) == made
    assert made.path.read_bytes() == whole
    assert tokenizer.encoded == ["A fox.", "A lion."]
    tokenize(reader("A fox.", "A lion."), tokenizer)
    assert len(tokenizer.encoded) == 2  # and is good from then on


def test_a_text_whose_files_are_the_same_is_not_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are its tokens, as long as nobody writes to them."""
    monkeypatch.setattr(stamps, "_SETTLED", -1_000_000_000)
    file = tmp_path / "a.txt"
    file.write_text("A fox.")
    readings, looks = [], []
    look = token_file._look_through

    def counted(tokens: TokenFile) -> dict[str, int]:
        looks.append(1)
        return look(tokens)

    monkeypatch.setattr(token_file, "_look_through", counted)

    def read() -> Iterator[Document]:
        readings.append(1)
        yield iter([file.read_text()])

    origin = Origin("a.txt", (file,))
    made = tokenize(read, TOKENIZER, origin)
    assert tokenize(read, TOKENIZER, origin) == tokenize(read, TOKENIZER, origin) == made
    assert (len(readings), len(looks)) == (2, 1)  # once to know it, once to encode it; and its tokens once
    flipped(made)
    assert tokenize(read, TOKENIZER, origin) == made
    assert made.open().tolist() == TOKENIZER.encode("A fox.")
    file.write_text("A lio.")
    assert tokenize(read, TOKENIZER, origin).open().tolist() == TOKENIZER.encode("A lio.")


@pytest.mark.parametrize("stories", [[], [""], ["", ""]])
def test_an_empty_text_is_refused(folder: Path, stories: list[str]) -> None:
    with pytest.raises(LabError, match="empty"):
        tokenize(reader(*stories), TOKENIZER)


@pytest.mark.parametrize("place", ["", "/deeper/still"])
def test_a_cache_that_cannot_be_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    (tmp_path / "occupied").write_text("a file")
    monkeypatch.setenv("LAB_CACHE", f"{tmp_path}/occupied{place}")
    with pytest.raises(LabError, match="set LAB_CACHE") as caught:
        tokenize(reader("A fox."), TOKENIZER)
    assert f"{tmp_path}/occupied{place}" in str(caught.value)


def test_an_error_of_the_text_leaves_nothing_that_would_be_believed(folder: Path) -> None:
    calls = []

    def read() -> Iterator[Document]:
        calls.append(1)
        yield iter(["A fox."])
        if len(calls) == 2:
            raise LabError("the file is gone")
        yield iter(["A lion."])

    with pytest.raises(LabError, match="the file is gone"):
        tokenize(read, TOKENIZER)
    assert not list(folder.glob("*.bin"))
    assert not list(folder.glob(".*.tmp"))
    assert tokenize(read, TOKENIZER).n_documents == 2


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LAB_CACHE")
    assert "gpt-lab" in str(cache_folder())


PROCESS = """
import sys, time
from pathlib import Path
from lab.data.token_file import tokenize
from lab.tokenizer import Tokenizer

signs, name, hang_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
calls = 0

class Slow(Tokenizer):
    def encode_array(self, text):
        global calls
        calls += 1
        if calls == hang_at:
            (signs / "hanging").touch()
            time.sleep(600)
        with (signs / "log").open("a") as log:
            log.write(f"{name}\\n")
        time.sleep(0.01)
        return super().encode_array(text)

tokenizer = Slow()
(signs / f"{name} is ready").touch()
while not (signs / "go").exists():
    time.sleep(0.005)
found = tokenize(lambda: (iter([f"story {i} of a fox"]) for i in range(40)), tokenizer)
print(found.path, found.n_tokens, found.checksum, int(found.open().sum()))
"""


def start(signs: Path, name: str, hang_at: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(signs), name, str(hang_at)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def wait_for_sign(sign: Path, process: subprocess.Popen[str]) -> None:
    wait_for(lambda: sign.exists() or process.poll() is not None)
    assert sign.exists(), "the process has ended too soon"


def test_of_two_processes_one_encodes_and_both_get_the_tokens(tmp_path: Path, folder: Path) -> None:
    names = ("left", "right")
    processes = [start(tmp_path, name) for name in names]
    for name, process in zip(names, processes, strict=True):
        wait_for_sign(tmp_path / f"{name} is ready", process)
    (tmp_path / "go").touch()
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert answers[0] == answers[1] != ""
    log = (tmp_path / "log").read_text().split()
    assert log in (["left"] * 40, ["right"] * 40)


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "go").touch()
    process = start(tmp_path, "victim", hang_at=30)
    wait_for_sign(tmp_path / "hanging", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert list(folder.glob("*.partial"))
    assert not list(folder.glob("*.bin"))

    stories = [f"story {i} of a fox" for i in range(40)]
    found = tokenize(reader(*stories), TOKENIZER)
    assert not list(folder.glob("*.partial*"))
    expected = [token for story in stories for token in [END, *TOKENIZER.encode(story)]][1:]
    assert found.open().tolist() == expected


def test_leftovers_of_other_texts_are_left_alone(folder: Path) -> None:
    """Another process may be writing one of them at this moment."""
    folder.mkdir(parents=True)
    other = folder / f".{'0' * 32}.bin.abc.tmp"
    other.touch()
    tokenize(reader("A fox."), TOKENIZER)
    assert other.exists()
