"""The processes of the sides, as the one that measures sees them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import lab

_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Sample:
    """One side's share of a round."""

    seconds: float
    count: int
    """How many times the work was done."""
    peak: int
    """Bytes of memory that its process held at most up to then; 0: unknown."""

    @property
    def each(self) -> float:
        """Seconds of doing it once."""
        return self.seconds / self.count


class SideFailed(Exception):
    """A side that cannot take part, or go on. Its text says why, in one line."""


class Side(Protocol):
    """One side of a measurement."""

    facts: dict[str, Any]
    """What it says of itself: its parameters, its first loss."""

    def sample(self, count: int) -> Sample:
        """Does the work ``count`` times. Raises SideFailed."""

    def close(self) -> None:
        """Ends its process."""


class Process:
    """A child process with its job. What it says on standard error is kept, for the last line of it."""

    def __init__(self, command: Sequence[str], threads: int) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        variables = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        # The package that measures is the one that is measured, from whatever folder it is started.
        path = os.pathsep.join([str(Path(lab.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        self.began = time.perf_counter()
        self._child = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
            env={**os.environ, **variables, "PYTHONPATH": path.rstrip(os.pathsep)},
        )

    def tell(self, line: str) -> None:
        """Writes a line to its standard input."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(line + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise SideFailed(self.last_words()) from None

    def answer(self) -> dict[str, Any]:
        """What it answers.

        Raises:
            SideFailed: if that is that it failed, or it has ended.
        """
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise SideFailed(self.last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SideFailed(answer["error"])
        return answer

    def has_ended(self) -> bool:
        """Has it?"""
        return self._child.poll() is not None

    def last_words(self) -> str:
        """The last line that an ended process has said, and how it ended."""
        code = self._child.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode("utf-8", "replace").splitlines() if line.strip()]
        how = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
        return f"{how}: {lines[-1].removeprefix('error: ')[:300]}" if lines else how

    def close(self) -> None:
        """Ends it, and waits until it has."""
        if self._log.closed:
            return
        self._child.kill()
        self._child.communicate()
        self._log.close()


class Worker:
    """A side that is set up once and then works when it is told to."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._process = Process(["-m", "lab.benchmark.child"], job["threads"])
        try:
            self._process.tell(json.dumps(job))
            self.facts: dict[str, Any] = self._process.answer()["ready"]
        except BaseException:
            self._process.close()
            raise

    def sample(self, count: int) -> Sample:
        """Does the work ``count`` times. Raises SideFailed."""
        self._process.tell(str(count))
        answer = self._process.answer()
        return Sample(answer["seconds"], count, answer["peak"])

    def close(self) -> None:
        """Ends its process."""
        self._process.close()


class Starter:
    """A side whose work is to be set up: each sample is a new process, timed from its start to its first step."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self.facts: dict[str, Any] = {}

    def sample(self, count: int) -> Sample:
        """Starts ``count`` processes, one after the other. Raises SideFailed."""
        seconds, peak = 0.0, 0
        for _ in range(count):
            process = Process(["-m", "lab.benchmark.child"], self._job["threads"])
            try:
                process.tell(json.dumps(self._job))
                self.facts = process.answer()["ready"]
                process.tell("1")
                answer = process.answer()
            finally:
                process.close()
            seconds, peak = seconds + answer["at"] - process.began, max(peak, answer["peak"])
        return Sample(seconds, count, peak)

    def close(self) -> None:
        """There is nothing to end."""


class TrainStarter:
    """The same of ``lab.train`` itself, as it is typed; ``lab.benchmark.pacing.FirstStep`` says when the step is
    there."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._words, self._threads, self._folder = job["words"], job["threads"], Path(job["folder"])
        self.facts: dict[str, Any] = {}

    def sample(self, count: int) -> Sample:
        """Starts ``count`` trainings, one after the other. Raises SideFailed."""
        seconds, peak = 0.0, 0
        for _ in range(count):
            run = Path(tempfile.mkdtemp(dir=self._folder))
            report = run / "first.json"
            words = [*self._words, f"hydra.run.dir={run / 'run'}", f"+callbacks.bench.report={report}"]
            target = "+callbacks.bench._target_=lab.benchmark.pacing.FirstStep"
            process = Process(["-m", "lab.train", *words, target], self._threads)
            try:
                while not report.exists():
                    if process.has_ended():
                        raise SideFailed(process.last_words())
                    time.sleep(_POLL_SECONDS)
                told = json.loads(report.read_text(encoding="utf-8"))
            finally:
                process.close()
            seconds, peak = seconds + told["at"] - process.began, max(peak, told["peak"])
            self.facts = {"seconds_of_the_first_evaluation": told["evaluation"]}
        return Sample(seconds, count, peak)

    def close(self) -> None:
        """There is nothing to end."""
