"""What the files of ended runs said, kept on the disk: a server that starts again need not read ten thousand logs.

It lies in the server's own folder, where no run folder can bring it along. A run's row holds for as long as its files
have the stamps that they had, and for this code alone. Whatever is wrong with the file, it is made anew: all of it
stands in the run folders, too.
"""

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import lab
from lab.dashboard.schemas import RunSummary
from lab.dashboard.store.run_folders import Stamp
from lab.runs.state import State

FILE = "runs.sqlite"
_ENDED: tuple[State, ...] = ("finished", "stopped", "failed")
"""What a run is in these states stands in its files alone, and not in what its process does."""


class Told(NamedTuple):
    """What a run's files say."""

    summary: RunSummary
    options: dict[str, Any]
    """By full name, or in groups."""
    results: tuple[float | None, ...]
    """In the order of ``columns.RESULTS``."""


class Remembered:
    """The ended runs by id. To be used by one thread at a time. Nothing is raised: what fails is not remembered."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file: sqlite3.Connection | None = None
        self._useless = False

    def get(self, run_id: str, stamps: tuple[Stamp | None, ...]) -> Told | None:
        """What a run's files said when they had these stamps; None if that is not known."""
        with self._care():
            query = "SELECT summary, options, results FROM runs WHERE id = ? AND stamps = ?"
            for summary, options, results in self._opened().execute(query, (run_id, json.dumps(stamps))):
                return Told(RunSummary.model_validate_json(summary), json.loads(options), tuple(json.loads(results)))
        return None

    def put(self, run_id: str, stamps: tuple[Stamp | None, ...], told: Told) -> None:
        """Keeps what a run's files said, which had these stamps when they were read; if it has ended."""
        if told.summary.state not in _ENDED:
            return
        with self._care():
            texts = told.summary.model_dump_json(), json.dumps(told.options), json.dumps(told.results)
            row = run_id, json.dumps(stamps), *texts
            self._opened().execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", row)

    def keep_only(self, run_ids: Collection[str]) -> None:
        """Drops the runs that are gone."""
        with self._care():
            file = self._opened()
            gone = [known for known in file.execute("SELECT id FROM runs") if known[0] not in run_ids]
            file.executemany("DELETE FROM runs WHERE id = ?", gone)

    def settle(self) -> None:
        """Writes what was put in and dropped since the last time."""
        if self._file is not None:
            with self._care():
                self._file.commit()

    def close(self) -> None:
        """Lets go of the file; it is opened again when it is asked for."""
        self.settle()
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextlib.contextmanager
    def _care(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError:
            # No such folder, a full disk; or another server at this root is writing just now.
            self._useless = self._file is None
        except sqlite3.DatabaseError:  # torn, or something else altogether
            self._start_anew()
        except (ValueError, TypeError):  # a row of no use, or an option that JSON has no word for
            pass

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            self._file = self._open()
        return self._file

    def _open(self) -> sqlite3.Connection:
        if self._useless:
            raise sqlite3.OperationalError
        # Asked from several threads, one at a time. Never waits for another server.
        file = sqlite3.connect(self._path, timeout=0, check_same_thread=False)
        try:
            file.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
            code = _code()
            if file.execute("PRAGMA user_version").fetchone() != (code,):
                file.executescript(
                    "BEGIN; DROP TABLE IF EXISTS runs;"
                    "CREATE TABLE runs (id TEXT PRIMARY KEY, stamps TEXT, summary TEXT, options TEXT, results TEXT);"
                    f"PRAGMA user_version = {code}; COMMIT"
                )
        except BaseException:
            file.close()
            raise
        return file

    def _start_anew(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        with contextlib.suppress(OSError):
            for end in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)


def _code() -> int:
    """Another number when what reads the files is another."""
    home = Path(lab.__file__).parent
    number = zlib.crc32(lab.__version__.encode())
    for path in sorted((*home.glob("*/*.py"), *home.glob("dashboard/*/*.py"))):
        number = zlib.crc32(path.read_bytes(), number)
    return number & 0x7FFFFFFF  # SQLite keeps it with a sign
