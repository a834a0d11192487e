"""A real training in a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.commands import TINY
from support.forked import Process, started
from support.waiting import wait_for

from lab.errors import LabError
from lab.runs.state import RunState, read_state

LONG = (*TINY, "trainer.max_steps=100000", "eval_every=100000", "log_every=1", "hydra.run.dir=run")


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Process]:
    """A real training process that has done its first steps."""
    with started(folder, "lab.train", *LONG, *arguments) as process:
        try:
            wait_for(lambda: (state(folder).step or 0) >= 1 or process.poll() is not None)
            yield process
        finally:
            process.kill()


def state(folder: Path) -> RunState:
    """Of the run in ``folder``/run; lost, if there is none yet."""
    try:
        return read_state(folder / "run")
    except LabError:
        return RunState("lost")
