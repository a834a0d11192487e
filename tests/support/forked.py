"""Commands in processes of their own that need not import torch and Lightning: each is a fork of one that has.

They have their own folder, variables, standard streams, signals, and end; only the interpreter's start is left out. So
what is settled as Python starts (its encodings, which modules a command imports) is no matter for them.
"""

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Union

ROOT = Path(__file__).resolve().parents[2]
_SOCKET = "LAB_TESTS_ZYGOTE"
"""Where a process that a test starts finds the test's own."""

_VARIABLES = dict(os.environ)  # before any test changes them
_STARTING = threading.Lock()

TESTS_TOO = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
"""A PYTHONPATH on which ``support`` is found."""

Process = Union["Forked", "subprocess.Popen[str]"]


def started(folder: Path, module: str, *arguments: str) -> Process:
    """``python -m MODULE ARGUMENTS`` in ``folder``, just begun. The end of a ``with`` waits for its end."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    if sys.platform == "linux":  # elsewhere, a process with such libraries is not safe to fork
        return Forked(folder, module, arguments, variables)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=folder, env=variables, **pipes)


def popen(command: Sequence[str], *, env: Mapping[str, str] | None = None, **options: Any) -> "Forked":
    """In the place of a ``subprocess.Popen`` that starts ``python -m`` in a session of its own, with a log."""
    assert list(command[:2]) == [sys.executable, "-m"]
    assert options["start_new_session"]
    folder = Path(options.get("cwd") or Path.cwd())
    return Forked(folder, command[2], command[3:], os.environ if env is None else env, options["stdout"])


def shared() -> tuple[dict[str, str], tuple[int, ...]]:
    """The variables and descriptors with which a process that a test starts may use ``popen``."""
    number = _zygote().fileno()
    return {_SOCKET: str(number)}, (number,)


class Forked:
    """As much of a ``subprocess.Popen`` as the tests need. With an ``output``, it is in a session of its own."""

    def __init__(
        self,
        folder: Path,
        module: str,
        arguments: Sequence[str],
        variables: Mapping[str, str],
        output: IO[bytes] | None = None,
    ) -> None:
        self._files = [] if output else [tempfile.TemporaryFile() for _ in ("out", "err")]  # noqa: SIM115
        order = {"module": module, "arguments": list(arguments), "folder": str(folder), "variables": dict(variables)}
        self._answers, theirs = os.pipe()
        packet = json.dumps(order | {"new_session": output is not None}).encode()
        streams = [output, output] if output else self._files
        with _STARTING:
            zygote = _zygote()
        socket.send_fds(zygote, [packet], [theirs, *(file.fileno() for file in streams)])
        os.close(theirs)
        self.pid = self._answer()
        self.returncode: int | None = None
        """Minus the signal that ended it, if one did; None: nobody has asked since it ended."""

    def _has_ended(self) -> int:
        self.returncode = self._answer()
        os.close(self._answers)
        return self.returncode

    def _answer(self) -> int:
        line = b""
        while not line.endswith(b"\n"):
            more = os.read(self._answers, 1)
            assert more, "the process to fork from has ended"
            line += more
        return int(line)

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self._has_ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end. Returns its exit code."""
        if self.returncode is not None:
            return self.returncode
        if not select.select([self._answers], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self._has_ended()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Waits for its end. Returns what it has said on standard output and standard error."""
        self.wait(timeout)
        said = []
        for file in self._files:
            with file:
                file.seek(0)
                said.append(file.read().decode("utf-8"))
        out, err = said
        return out, err

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for file in self._files:
            file.close()


@functools.cache
def _zygote() -> socket.socket:
    """Orders for the process to fork from, which is started when it is first needed, and ends with this one."""
    if _SOCKET in os.environ:
        return socket.socket(fileno=int(os.environ[_SOCKET]))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "support.zygote"],
            cwd=ROOT,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env={**_VARIABLES, "PYTHONPATH": TESTS_TOO, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        )

    def end() -> None:
        ours.close()
        process.terminate()  # a process that the tests have left behind may hold the socket open
        process.wait()

    atexit.register(end)
    return ours
