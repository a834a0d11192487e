"""A column of text in a Parquet file: each row is a document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.data.compressed import library
from lab.errors import LabError

ENDING = ".parquet"

_ROWS = 64
"""Held at a time. A row may be a book."""


def texts(file: Path, column: str) -> Iterator[tuple[int, str]]:
    """The rows of ``column``, numbered from 1.

    Raises:
        LabError: if the file is torn, has no such column, or no text in it; or the library is missing.
    """
    arrow = library("pyarrow", file)
    parquet = library("pyarrow.parquet", file)
    try:
        # Column by column and page by page: else a whole group of rows, a gigabyte perhaps, is read at once.
        with parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as opened:
            _refuse_other(opened.schema_arrow, column, file, arrow)
            number = 0
            for batch in opened.iter_batches(batch_size=_ROWS, columns=[column]):
                for found in batch.column(0).to_pylist():
                    number += 1
                    if found is None:
                        raise LabError(
                            f"{file}, row {number}: the column {column} is empty there (null), and must be a text"
                        )
                    yield number, found
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise LabError(f"{file} is torn or no Parquet file ({reason}): get it again") from error


def _refuse_other(schema: Any, column: str, file: Path, arrow: Any) -> None:
    names = schema.names
    if column not in names:
        raise LabError(f"{file} has no column {column}: give corpus.column=, one of {', '.join(names)}")
    kind = schema.field(column).type
    inner = getattr(kind, "value_type", kind) if str(kind).startswith("dictionary") else kind
    types = arrow.types
    if not (types.is_string(inner) or types.is_large_string(inner) or str(inner) == "string_view"):
        raise LabError(
            f"{file}: the column {column} is of the type {kind}, and must be text: give another corpus.column="
        )
