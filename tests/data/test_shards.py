"""A long text is encoded shard by shard, and what is finished of it is not done again."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.commands import ROOT
from support.tokenizers import FABLES, byte_pairs, characters
from support.waiting import wait_for

from lab.data import encoding, shards
from lab.data.corpus import Document
from lab.tokenizer import Tokenizer
from lab.tokenizers.contract import TextTokenizer

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TOKENIZER = Tokenizer()


class DeadError(Exception):
    """Stands for a kill: nothing after it happens."""


class Mortal(Tokenizer):
    """Dies after so many pieces of text, and knows how much it has encoded."""

    def __init__(self, left: int = 10**9) -> None:
        super().__init__()
        self.left = left
        self.encoded = 0

    def encode_array(self, text: str) -> np.ndarray:
        if not self.left:
            raise DeadError
        self.left -= 1
        self.encoded += len(text.encode())
        return super().encode_array(text)


def expected(stories: list[str], tokenizer: TextTokenizer) -> list[int]:
    found: list[int] = []
    for story in filter(None, stories):
        found += ([tokenizer.endoftext] if found else []) + tokenizer.encode(story)
    return found


def reader(stories: list[str]) -> Callable[[], Iterator[Document]]:
    return lambda: (iter([story]) for story in stories)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of a hundred bytes, in portions of twenty characters; one core, so that they are encoded in order."""
    monkeypatch.setattr(shards, "SHARD", 100)
    portions = encoding.jobs
    monkeypatch.setattr(shards, "jobs", lambda documents, tokenizer: portions(documents, tokenizer, 20))
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("tokenizer", [TOKENIZER, byte_pairs(), characters()], ids=["gpt2", "bpe", "chars"])
@settings(parent=few, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(st.sampled_from("ab ,.1\n猫é"), max_size=150), max_size=8), st.integers(1, 300))
def test_shards_hold_what_one_pass_gives(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    tokenizer: TextTokenizer,
    stories: list[str],
    size: int,
) -> None:
    monkeypatch.setattr(shards, "SHARD", size)
    path = tmp_path_factory.mktemp("shards") / "a.bin"
    written = shards.write(path, reader(stories), tokenizer)
    assert np.fromfile(path, dtype="<u2").tolist() == expected(stories, tokenizer)
    assert written.n_bytes == written.n_token_bytes == sum(len(story.encode()) for story in stories)
    assert [file.name for file in path.parent.iterdir()] == ["a.bin"]


STORIES = [FABLES[start : start + 130] for start in range(0, 4000, 130)]
N_BYTES = sum(len(story.encode()) for story in STORIES)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("pieces", [1, 40, 100, 190])
def test_what_is_finished_is_not_encoded_again(tmp_path: Path, pieces: int) -> None:
    path = tmp_path / "a.bin"
    first, second = Mortal(pieces), Mortal()
    with pytest.raises(DeadError):
        shards.write(path, reader(STORIES), first)
    assert not path.exists()
    dealt_with = []
    shards.write(path, reader(STORIES), second, lambda n_bytes, n_ends: dealt_with.append(n_bytes))
    assert np.fromfile(path, dtype="<u2").tolist() == expected(STORIES, TOKENIZER)
    # A shard, and the portions that are held in store beside it.
    assert first.encoded + second.encoded < N_BYTES + 100 + 7 * 140
    assert second.encoded < N_BYTES or pieces == 1
    assert sum(dealt_with) == N_BYTES


def cut_off(work: Path) -> None:
    work.write_bytes(work.read_bytes()[:10])


def flipped(work: Path) -> None:
    work.write_bytes(b"\xff" + work.read_bytes()[1:])


def undescribed(work: Path) -> None:
    work.with_suffix(".partial.json").write_text("{")


def described_wrongly(work: Path) -> None:
    journal = work.with_suffix(".partial.json")
    journal.write_text(json.dumps({**json.loads(journal.read_text()), "n_jobs": 3}))


def longer(work: Path) -> None:
    work.write_bytes(work.read_bytes() + b"half a shard")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damage", [cut_off, flipped, undescribed, described_wrongly, longer])
def test_what_is_damaged_of_it_is_not_believed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "a.bin"
    with pytest.raises(DeadError):
        shards.write(path, reader(STORIES), Mortal(100))
    damage(path.with_suffix(".partial"))
    second = Mortal()
    shards.write(path, reader(STORIES), second)
    assert np.fromfile(path, dtype="<u2").tolist() == expected(STORIES, TOKENIZER)
    assert (second.encoded < N_BYTES) == (damage is longer)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("other", [STORIES[1:], STORIES[:3], ["another beginning", *STORIES]])
def test_what_is_finished_of_another_text_is_not_taken(tmp_path: Path, other: list[str]) -> None:
    path = tmp_path / "a.bin"
    with pytest.raises(DeadError):
        shards.write(path, reader(STORIES), Mortal(100))
    shards.write(path, reader(other), TOKENIZER)
    assert np.fromfile(path, dtype="<u2").tolist() == expected(other, TOKENIZER)


TOKENIZE = """
import os, sys
from pathlib import Path
from lab.config.corpus_schema import CorpusConfig
from lab.data import prepare, shards
from lab.tokenizer import Tokenizer

shards.SHARD = 1 << 20
encoded = Path("encoded")

class Counting(Tokenizer):
    def encode_array(self, text):
        with encoded.open("a") as file:
            file.write(f"{len(text)}\\n")
        return super().encode_array(text)

config = CorpusConfig("text", "path", "long.jsonl.gz")
print(prepare.tokenize([Path("long.jsonl.gz")], config, Path.cwd(), Counting()).path)
"""


@pytest.mark.slow
def test_kills_cost_no_more_than_a_shard_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real processes, killed while they tokenize a packed file; the last one finishes, and has little left to do."""
    stories = [FABLES[start : start + 5000] for start in range(0, len(FABLES), 5000)] * 40
    with gzip.open(tmp_path / "long.jsonl.gz", "wt", encoding="utf-8", compresslevel=1) as file:
        for story in stories:
            file.write(json.dumps({"text": story}) + "\n")
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def begin() -> "subprocess.Popen[str]":
        return subprocess.Popen([sys.executable, "-c", TOKENIZE], cwd=tmp_path, stdout=subprocess.PIPE, text=True)

    def finished() -> int:
        journals = list((tmp_path / "cache").glob("*.partial.json"))
        return json.loads(journals[0].read_text())["n_bytes"] if journals else 0

    kills, before = 0, 0
    for _ in range(3):
        process = begin()
        wait_for(lambda: process.poll() is not None or finished() > before)  # noqa: B023
        if process.poll() is None:
            kills += 1
            process.send_signal(signal.SIGKILL)
        process.communicate()
        before = finished()
    done = begin()
    path = Path(done.communicate()[0].strip())
    assert done.returncode == 0
    assert kills >= 2
    assert np.fromfile(path, dtype="<u2").tolist() == expected(stories, TOKENIZER)
    again = sum(map(int, (tmp_path / "encoded").read_text().split())) - sum(map(len, stories))
    # A shard, and what was in the works: a few portions of a quarter of a megabyte for each core.
    assert again < (kills + 1) * ((1 << 20) + (2 * (os.cpu_count() or 1) + 4) * (1 << 18))


MEASURE = """
import resource, sys
from pathlib import Path
from lab.config.corpus_schema import CorpusConfig
from lab.data import prepare
from lab.tokenizer import Tokenizer

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

Tokenizer().encode("a fox")
base = peak()
prepare.tokenize([Path(sys.argv[1])], CorpusConfig("text", "path", sys.argv[1]), Path.cwd())
print(peak() - base)
"""

LONG = {
    "one line.txt": ("the fox and the crow met the miller in the valley. ", "", ""),
    "no blank.txt": ("狐狸看见了乌鸦，乌鸦嘴里有一块奶酪。", "", ""),
    "one word.txt": ("狐狸看见了乌鸦", "", ""),
    "one line.jsonl": ("the fox and the crow. ", '{"text": "', '"}'),
    "one array.json": ('the fox and the crow. ", "', '["', '"]'),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process in Linux's units")
@pytest.mark.parametrize("name", LONG)
def test_memory_is_bounded_whatever_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    unit, begin, end = LONG[name]
    with (tmp_path / name).open("w", encoding="utf-8") as file:
        file.write(begin)
        for _ in range(50):
            file.write(unit * ((1 << 20) // len(unit.encode())))
        file.write(end)
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-c", MEASURE, name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 300 * 1024, f"{int(done.stdout) / 1024:.0f} MB over the base"
