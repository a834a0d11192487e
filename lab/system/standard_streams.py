"""The standard streams, which may be anything: a console of another alphabet, a full disk, a pipe that nobody reads."""

import contextlib
import errno
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO


class OutputLost(BaseException):
    """What a command prints does not get through, and printing is what it is there for. Not an Exception, so that no
    library on the way takes it for one of its own."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"standard output cannot be written to ({getattr(cause, 'strerror', None) or cause})")
        # Windows says "invalid argument" of a pipe that was closed at its other end.
        self.nobody_reads = isinstance(cause, BrokenPipeError) or (
            os.name == "nt" and getattr(cause, "errno", None) == errno.EINVAL
        )


@contextlib.contextmanager
def guarded(output_matters: bool) -> Iterator[None]:
    """Standard streams that take any text, and whose failure is no error of whoever happens to print.

    A character that a stream has no code for arrives escaped. What cannot be written on standard error is dropped; on
    standard output, too, unless ``output_matters``: a training goes on when its terminal is gone, and says so once on
    standard error.

    Streams that somebody put in place of the process's own, a notebook or a test, are left as they are.

    Raises:
        OutputLost: in whoever prints, if ``output_matters``; only once, so that what is printed afterwards, on the way
            out, is dropped.
    """
    _keep_numbers()
    before = sys.stdin, sys.stdout, sys.stderr
    told = False
    sys.stderr = errors = _tolerant(sys.stderr, sys.__stderr__, lambda _: None)

    def lost(cause: Exception) -> None:
        nonlocal told
        if told:
            return
        told = True
        if output_matters:
            raise OutputLost(cause)
        # Not by way of sys.stderr: while a progress bar is shown, that leads back to standard output.
        print(f"note: {OutputLost(cause)}, and the command goes on without it", file=errors, flush=True)

    sys.stdout = output = _tolerant(sys.stdout, sys.__stdout__, lost)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (stays open as long as the process)
    elif sys.stdin is sys.__stdin__ and isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # as in arguments: what is no text is told by who wants one
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        errors.flush()
        output.flush()


@contextlib.contextmanager
def into(path: Path) -> Iterator[None]:
    """Within it, what is printed goes to the end of the file ``path``; what has no room there, nowhere."""
    with path.open("ab", buffering=0) as raw:
        below: Any = io.BufferedWriter(_Writer(raw, lambda _: None))
        stream = io.TextIOWrapper(below, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield
        stream.flush()


def _keep_numbers() -> None:
    """Opens what was closed of file descriptors 0 to 2. The next file, a checkpoint, say, would get the free number,
    and with it whatever a library prints."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(free, True)
    os.close(free)


def _tolerant(stream: TextIO | None, own: TextIO | None, failed: Callable[[Exception], None]) -> TextIO:
    if stream is not own:
        assert stream is not None
        return stream
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(_Writer(None, failed)), encoding="utf-8", errors="backslashreplace")
    buffer: Any = stream.buffer
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    unbuffered = not hasattr(buffer, "raw")  # python -u
    writer = _Writer(buffer if unbuffered else buffer.raw, failed)
    below: Any = writer if unbuffered else io.BufferedWriter(writer)
    return io.TextIOWrapper(
        below,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=bool(stream.line_buffering),
        write_through=unbuffered,
    )


class _Writer(io.RawIOBase):
    """Writes to another raw stream, or nowhere, and tells ``failed`` instead of failing itself."""

    def __init__(self, under: Any, failed: Callable[[Exception], None]) -> None:
        self._under = under
        self._failed = failed

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._under is not None and self._under.isatty()

    def fileno(self) -> int:
        return self._under.fileno() if self._under is not None else super().fileno()

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        try:
            while rest:
                if self._under is None:
                    raise OSError(errno.EBADF, "it is closed")
                written = self._under.write(rest)
                if written is None:  # whoever shares it has made it non-blocking, and it is full
                    select.select([], [self._under], [])
                rest = rest[written or 0 :]
        except (OSError, ValueError) as error:
            self._failed(error)
        return len(data)
