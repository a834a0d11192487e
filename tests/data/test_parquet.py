"""A column of text in a Parquet file: each row is a document, and what is none is told with its row."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.data.corpus import documents
from lab.errors import LabError

STORIES = ["one\nwith two lines", "", "zwei 🦊", "x" * 3_000_000]


def texts(file: Path, column: str = "text") -> list[str]:
    return ["".join(document) for document in documents([file], column=column)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_each_row_of_a_parquet_file_is_a_document(tmp_path: Path, kind: pa.DataType) -> None:
    file = tmp_path / "a.parquet"
    table = pa.table({"n": range(4), "body": pa.array(STORIES, pa.string()).cast(kind)})
    pq.write_table(table, file, row_group_size=3)
    assert texts(file, column="body") == STORIES
    assert all(len(piece) <= 1 << 20 for document in documents([file], column="body") for piece in document)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"body": ["a"], "n": [1]}, r"has no column text: give corpus\.column=, one of body, n"),
        ({"text": [1, 2]}, "the column text is of the type int64, and must be text"),
        ({"text": ["a", None]}, r"row 2: the column text is empty there \(null\)"),
        ({"text": [["a"]]}, "of the type list"),
    ],
)
def test_what_is_wrong_with_a_parquet_file(tmp_path: Path, table: dict[str, object], said: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(LabError, match=said) as told:
        texts(tmp_path / "a.parquet")
    assert str(tmp_path / "a.parquet") in str(told.value)


@pytest.mark.parametrize("keep", [0, 3, 500, -3])
def test_a_torn_parquet_file_is_one_sentence(tmp_path: Path, keep: int) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [str(n) for n in range(1000)]}), file)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(LabError, match=r"a\.parquet is torn or no Parquet file") as told:
        texts(file)
    assert "\n" not in str(told.value)
