"""Datasets by way of the ``datasets`` library: from a folder here, with the very calls that stream one of the hub."""

import os
import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from support.commands import ROOT, TINY, inside, tiny, train_here

from lab import evaluate
from lab.config.corpus_schema import CorpusConfig
from lab.data import hub_dataset, token_file
from lab.data.prepare import read_corpus
from lab.errors import LabError
from lab.tokenizer import Tokenizer

STORIES = [f"Story {number}. The fox and the crow met miller {number} in the valley." for number in range(60)]
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "stories").mkdir()
    for name, part in (("train-0", STORIES[:40]), ("train-1", STORIES[40:]), ("test-0", ["a test"])):
        pq.write_table(pa.table({"body": part, "n": range(len(part))}), tmp_path / "stories" / f"{name}.parquet")
    return tmp_path


def test_it_trains(folder: Path) -> None:
    done = tiny(folder, "corpus=hf", "corpus.name=stories", "corpus.column=body", "trainer.max_steps=2", "save=true")
    assert "60 documents" in done.out
    code, out, err = inside(evaluate.main, folder, f"checkpoint={done.run}")
    assert code == 0, err
    assert f"{done.results['val_loss']:.4f}" in out
    more = train_here(folder, "resume=last", "trainer.max_steps=3")
    assert (more.code, more.err) == (0, ""), more.err
    assert more.results["corpus"] == done.results["corpus"]


def test_its_rows_are_the_documents(folder: Path) -> None:
    config = CorpusConfig("stories", "hf", column="body", max_documents=50)
    tokenizer = Tokenizer()
    expected = [token for story in STORIES[:50] for token in [tokenizer.endoftext, *tokenizer.encode(story)]][1:]
    assert read_corpus(config, folder).tokens.open().tolist() == expected
    assert [
        "".join(d) for d in hub_dataset.documents(CorpusConfig("stories", "hf", column="body", split="test"), folder)
    ] == ["a test"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("corpus.name=stories",), r"has no column text: give corpus\.column=, one of body, n"),
        (("corpus.name=stories", "corpus.column=n"), r"row 1: the column n is 0, and must be a text"),
        (("corpus.name=stories", "corpus.split=dev"), r"cannot be had \(ValueError: .*dev.*\): look at"),
        (("corpus.name=none/none",), r"the dataset none/none cannot be had \(.*\): look at .* and the network"),
        ((), r"corpus=hf needs a dataset: add corpus\.name=OWNER/NAME"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    done = train_here(folder, *TINY, "corpus=hf", "trainer.max_steps=1", *options)
    assert done.code == 1
    (sentence,) = done.err.strip().splitlines()
    assert re.search(said, sentence), sentence


def test_without_the_library_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(LabError, match=r"pip install 'gpt-lab\[corpora\]'"):
        list(hub_dataset.documents(CorpusConfig("stories", "hf"), folder))


class Hub:
    """Stands for the network: knows one commit, and counts how often a text is streamed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.streamed = 0
        self.is_there = True
        monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", self.about)
        monkeypatch.setattr(hub_dataset, "_opened", self.opened)

    def about(self, api: object, *args: object, **options: object) -> object:
        if not self.is_there:
            raise ConnectionError("no network")
        return type("Info", (), {"sha": REVISION})

    def opened(self, config: CorpusConfig, name: str) -> object:
        assert config.revision == REVISION
        self.streamed += 1
        return [{"text": story} for story in STORIES]


def test_a_revision_is_streamed_once_and_settled_for_good(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    config = CorpusConfig("owner/stories", "hf")
    first = read_corpus(config, folder).tokens
    assert (first.n_documents, first.n_bytes) == (60, sum(map(len, STORIES)))
    assert config.revision == REVISION
    streamed = hub.streamed
    hub.is_there = False
    for asked in (config, CorpusConfig("owner/stories", "hf")):  # the latter by what was found last
        assert read_corpus(asked, folder).tokens == first
    assert hub.streamed == streamed
    assert read_corpus(CorpusConfig("owner/stories", "hf", max_documents=7), folder).tokens.n_documents == 7
    with pytest.raises(LabError, match="no network"):
        read_corpus(CorpusConfig("owner/others", "hf"), folder)


def test_an_empty_dataset_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Hub(monkeypatch)
    monkeypatch.setattr(hub_dataset, "_opened", lambda *about: [{"text": ""}])
    with pytest.raises(LabError, match="the text is empty"):
        read_corpus(CorpusConfig("owner/stories", "hf", revision=REVISION), folder)
    assert not list(token_file.cache_folder().glob("*.bin"))


READY = ["tinystories", "wikitext", "fineweb_edu"]


@pytest.mark.parametrize("name", READY)
def test_the_ready_ones_are_pinned(name: str) -> None:
    found = yaml.safe_load((ROOT / "conf" / "corpus" / f"{name}.yaml").read_text())
    assert found["name"] == name
    assert hub_dataset._COMMIT.fullmatch(found["revision"])


@pytest.mark.slow
@pytest.mark.skipif("LAB_TEST_NETWORK" not in os.environ, reason="needs the network: set LAB_TEST_NETWORK=1")
@pytest.mark.parametrize("name", READY)
def test_the_ready_ones_stream(tmp_path: Path, name: str) -> None:
    tiny(tmp_path, f"corpus={name}", "corpus.max_documents=200", "trainer.max_steps=1")


def test_a_missing_extra_is_named_before_the_network_is_touched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's own library may well be there, for tokenizers."""
    hub = Hub(monkeypatch)
    hub.is_there = False
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(LabError, match=r"corpus=hf needs the library datasets: pip install 'gpt-lab\[corpora\]'"):
        read_corpus(CorpusConfig("owner/stories", "hf"), folder)
