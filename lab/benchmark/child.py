"""The process of one side: ``python -m lab.benchmark.child``, with its job as a line of JSON on standard input.

It answers with a line of JSON: what it has set up, or why it cannot. Then, for each line with a number, it does its
work that many times and answers how long that took. What libraries print goes to standard error.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

WORK: dict[str, str] = {
    "training": "lab.benchmark.training",
    "generation": "lab.benchmark.generation",
    "tokenization": "lab.benchmark.tokenization",
    "loading": "lab.benchmark.loading",
    "startup": "lab.benchmark.training",
    "overhead": "lab.benchmark.overhead",
}
"""Which module knows how the work of a measurement is set up: a function ``serve(config, job, orders)``."""


class Orders:
    """What the process is told to do, and what it answers."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what anybody prints is no answer

    def ready(self, **facts: Any) -> None:
        """Says that all is set up, and what."""
        self._answer(ready=facts)

    def next(self) -> int | None:
        """How many times to work now; None: no more."""
        line = sys.stdin.readline()
        return int(line) if line.strip() else None

    def done(self, seconds: float) -> None:
        """Says how long that took."""
        self._answer(seconds=seconds, peak=peak_memory(), at=time.perf_counter())

    def serve(self, work: Callable[[], object], **facts: Any) -> None:
        """All of that, for work that is a call."""
        self.ready(**facts)
        while (count := self.next()) is not None:
            began = time.perf_counter()
            for _ in range(count):
                work()
            self.done(time.perf_counter() - began)

    def failed(self, error: BaseException) -> None:
        """Says what has gone wrong, in one line."""
        lines = str(error).strip().splitlines() or [""]
        self._answer(error=f"{type(error).__name__}: {lines[0][:300]}" if lines[0] else type(error).__name__)

    def _answer(self, **values: Any) -> None:
        print(json.dumps(values), file=self._answers, flush=True)


def peak_memory() -> int:
    """The most bytes of memory that this process has held so far; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main() -> None:
    """Serves one side until standard input ends."""
    job, orders = json.loads(sys.stdin.readline()), Orders()
    try:
        from importlib import import_module

        import torch

        from lab.config.compose import compose_config
        from lab.config.schema import check

        torch.set_num_threads(job["threads"])
        import_module(WORK[job["what"]]).serve(check(compose_config(job["words"])), job, orders)
    except Exception as error:
        orders.failed(error)
        raise


if __name__ == "__main__":
    main()
