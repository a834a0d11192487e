"""JSON files whose size does not matter: no more is held than a line or an element."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.data import json_documents
from lab.data.corpus import documents
from lab.errors import LabError

few = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def texts(file: Path) -> list[str]:
    return ["".join(document) for document in documents([file])]


@few
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30)), st.sampled_from([None, 1]), st.integers(1, 20))
def test_an_array_comes_through_whole_wherever_the_reads_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stories: list[str], indent: int | None, piece: int
) -> None:
    monkeypatch.setattr(json_documents, "_PIECE", piece)
    values = [story if number % 2 else {"text": story} for number, story in enumerate(stories)]
    (tmp_path / "a.json").write_text(json.dumps(values, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")
    assert texts(tmp_path / "a.json") == stories


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('["a" "b"]', "element 1: .*neither a comma nor the end"),
        ('["a",]', "element 2: this is no JSON"),
        ('["a"', "element 1: .*neither a comma nor the end"),
        ('["a"] "b"', "something stands behind the end of the array"),
        ("[,]", "element 1: this is no JSON"),
    ],
)
def test_an_array_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(LabError, match=said):
        texts(tmp_path / "a.json")


def test_a_long_array_is_never_held(tmp_path: Path) -> None:
    story = "the fox and the crow " * 500
    with (tmp_path / "a.json").open("w") as file:
        file.write("[" + ",\n".join([json.dumps({"text": story})] * 2000) + "]")
    tracemalloc.start()
    assert sum(1 for document in documents([tmp_path / "a.json"]) for _ in document) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "a.json").stat().st_size > 20_000_000
    assert peak < 8_000_000


def test_a_long_line_is_held_twice_at_most(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "the fox and the crow " * 500_000}) + "\n")
    size = (tmp_path / "a.jsonl").stat().st_size
    tracemalloc.start()
    pieces = [len(piece) for document in documents([tmp_path / "a.jsonl"]) for piece in document]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(pieces) <= 1 << 20
    assert peak < 2.3 * size + 3_000_000


LONG = ['{"text": "aaaaaaaaaaa"}', '["aaaaaaaaaaaaaaaaaaaaaaaaaaaa"]', '{\n"text": "aaaaaaaaaaa"}']


@pytest.mark.parametrize("content", LONG)
def test_what_is_longer_than_memory_should_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(json_documents, "_LONGEST", 16)
    monkeypatch.setattr(json_documents, "_PIECE", 10)
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(LabError, match=r"longer than 16 bytes.*into a \.txt file"):
        texts(tmp_path / "a.json")
