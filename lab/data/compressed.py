"""Files as streams of bytes, unpacked while they are read: ``.gz``, ``.zst``, or neither."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lab.errors import LabError

ENDINGS = (".gz", ".zst")

_PIECE = 1 << 20  # bytes unpacked at a time


def ending(file: Path) -> str:
    """What kind of file it is once it is unpacked: ``.jsonl`` of ``a.JSONL.gz``."""
    return (Path(file.stem) if file.suffix.lower() in ENDINGS else file).suffix.lower()


@contextmanager
def opened(file: Path) -> Iterator[io.BufferedReader]:
    """The content of ``file``, to be read once from its start.

    Raises:
        LabError: at once or while it is read, if the packed data are torn or damaged, or a library is missing.
        OSError: if it cannot be read.
    """
    with file.open("rb") as stored:
        match file.suffix.lower():
            case ".gz":
                yield io.BufferedReader(_Unpacking(gzip.GzipFile(fileobj=stored), file), _PIECE)
            case ".zst":
                arrow = library("pyarrow", file)
                # Unlike the zstandard package, it tells a stream that ends too soon from one that ends.
                yield io.BufferedReader(_Unpacking(arrow.input_stream(stored, compression="zstd"), file), _PIECE)
            case _:
                yield stored


def library(name: str, what: object) -> Any:
    """A library of the extra ``corpora``.

    Raises:
        LabError: if it is not installed. ``what`` it is needed for is named.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise LabError(f"{what} needs the library {name}: pip install 'gpt-lab[corpora]'") from error


class _Unpacking(io.RawIOBase):
    """A stream that says in one sentence that it is torn."""

    def __init__(self, stream: BinaryIO | Any, file: Path) -> None:
        self._stream = stream
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except (EOFError, OSError, zlib.error, ValueError) as error:
            raise LabError(
                f"{self._file} is torn or no {self._file.suffix} file ({error}): get it, or pack it, again"
            ) from error
        buffer[: len(data)] = data
        return len(data)
