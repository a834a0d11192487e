"""The processes of a run on several devices: started beside this one, watched, and ended with it.

Whoever starts them, the first one decides: the folder, the checkpoint to go on from, the number format. The others get
that as words on their command lines, and come to the same options by themselves. torchrun and srun start all of them at
once, and end those that are left when one is lost. Otherwise the first starts the others, and they watch each other: a
process that is killed would leave the rest waiting for its part of a sum.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.distributed as dist

from lab.config.devices import with_words
from lab.errors import Followed, LabError
from lab.runs.checkpoint import how_to_go_on
from lab.runs.folder import note_end
from lab.runs.state import ALIVE, read_state
from lab.system import ranks, rendezvous
from lab.training.preparation import Preparation

_GRACE = 10.0
"""Seconds in which a process may notice by itself that another one is gone, and say so in good order."""
_PATIENCE = 60.0
"""Seconds in which the others may end, once the first has."""
_POLL = 0.2
_LOST = re.compile(r"gloo|NCCL|connection (was )?(closed|reset|refused)|broken pipe|socket|peer", re.IGNORECASE)


class Others:
    """The other processes of a run, as far as this one has started them.

    Args:
        run_folder: the run's.
        started: those processes, by rank, from 1 on.
    """

    def __init__(self, run_folder: Path, started: Sequence["subprocess.Popen[bytes]"] = ()) -> None:
        self.run_folder = run_folder
        self.started = list(started)
        self.over = threading.Event()
        """Is the training over? Then whoever ends has done its work."""

    def gone(self) -> str | None:
        """Which of them has ended, and how, if one has."""
        for rank, process in enumerate(self.started, 1):
            if code := process.poll():
                how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                return f"process {rank} of {len(self.started) + 1} (from 0) has ended by {how}"
        return None

    def lost(self) -> Followed:
        """What to say once a message to another process could not be sent."""
        until = time.monotonic() + (_GRACE / 3 if self.started else 0)
        while (how := self.gone()) is None and time.monotonic() < until:
            time.sleep(_POLL)
        what = how or "another process of this run has ended before its time"
        return Followed(f"{what}, and with it the run: {how_to_go_on(self.run_folder)}")

    def watch(self) -> None:
        """Ends this process if another is gone and it does not notice: while it waits for a message on a GPU, say."""
        while not self.over.wait(_POLL):
            if self.gone() is not None:
                if not self._over_soon():
                    error = self.lost()
                    note_end(self.run_folder, "failed", str(error))
                    print(f"error: {error}", file=sys.stderr, flush=True)
                    self.kill()
                    os._exit(1)
                return

    def watch_first(self, first: int) -> None:
        """The same for the first process, whose pid is ``first``, in those that it has started."""
        while not self.over.wait(_POLL):
            if os.getppid() != first:
                if not self._over_soon():
                    if ranks.mine().local_rank == 1:  # one says so for all
                        print(f"error: {self.lost()}", file=sys.stderr, flush=True)
                    os._exit(1)
                return

    def _over_soon(self) -> bool:
        # Looked at many times, and not once at the end: a process that was suspended has had no time meanwhile.
        return any(self.over.wait(_POLL) for _ in range(round(_GRACE / _POLL)))

    def kill(self) -> None:
        """Ends those that are left."""
        for process in self.started:
            process.kill()
            process.wait()

    def wait(self) -> None:
        """Until they have ended by themselves, but not for ever."""
        until = time.monotonic() + _PATIENCE
        for process in self.started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
        self.kill()


@contextlib.contextmanager
def beside(run: Preparation, words: Sequence[str]) -> Iterator[Others]:
    """Within it, the other processes of the run are there, if it has several.

    Args:
        run: what the first process has prepared.
        words: the command line of this process.
    """
    place, options = ranks.mine(), run.config.trainer
    first = os.environ.get(ranks.LAUNCHER)
    if options.processes == 1:
        yield Others(run.run_folder)
    elif place.is_alone:
        with _started(run, words) as others:
            yield others
    else:
        if place.is_first:
            rendezvous.tell(settled(run))
        others = Others(run.run_folder)
        if first is not None:
            threading.Thread(target=others.watch_first, args=(int(first),), daemon=True).start()
        with _left_alone_at_the_end(others):
            yield others


@contextlib.contextmanager
def _left_alone_at_the_end(others: Others) -> Iterator[None]:
    well = False
    try:
        yield
        well = True
    finally:
        others.over.set()
        # Where messages go between GPUs, this would wait for one that is gone; the end of the process does it, too.
        if dist.is_initialized() and (well or dist.get_backend() == "gloo"):
            dist.destroy_process_group()


@contextlib.contextmanager
def _started(run: Preparation, words: Sequence[str]) -> Iterator[Others]:
    """Starts the others on this machine, and ends them, too."""
    number = run.config.trainer.processes
    mine = dict.fromkeys(("RANK", "LOCAL_RANK"), "0") | dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(number))
    mine |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(rendezvous.host()), ranks.LAUNCHER: str(os.getpid())}
    threads, before = torch.get_num_threads(), dict(os.environ)
    if "OMP_NUM_THREADS" not in os.environ:  # each would take all cores
        mine["OMP_NUM_THREADS"] = str(max(1, threads // number))
        torch.set_num_threads(int(mine["OMP_NUM_THREADS"]))
    command = [sys.executable, "-m", "lab.train", *with_words(words, settled(run))]
    os.environ.update(mine)
    others = Others(run.run_folder)
    try:
        for rank in range(1, number):
            environment = {**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            process = subprocess.Popen(command, cwd=run.start_folder, env=environment, stdin=subprocess.DEVNULL)
            others.started.append(process)
        threading.Thread(target=others.watch, daemon=True).start()
        with _left_alone_at_the_end(others):
            yield others
        others.wait()
    finally:
        others.kill()
        torch.set_num_threads(threads)
        for name in mine:
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in before.items() if name in mine})


def settled(run: Preparation) -> list[str]:
    """What the first process has settled, as words for the others."""
    trainer = run.config.trainer
    return [
        f"hydra.run.dir={run.run_folder.absolute()}",
        f"resume={run.earlier.path.absolute() if run.earlier else 'null'}",
        f"trainer.precision={trainer.precision}",
        f"trainer.devices={trainer.devices}",
        f"trainer.num_nodes={trainer.num_nodes}",
    ]


def is_lost(error: BaseException) -> bool:
    """Is it what a process sees of another one that is gone?"""
    if ranks.mine().is_alone:
        return False
    of_gloo = type(error) is RuntimeError and _LOST.search(str(error)) is not None
    return of_gloo or isinstance(error, dist.DistError) or (error.__cause__ is not None and is_lost(error.__cause__))


def first_has_told(run_folder: Path, error: LabError) -> bool:
    """Has the first process of a run said already what ``error`` in another one would say? It is given a moment for
    it: what ends one of them for a reason of the text or the options ends all."""
    first = os.environ.get(ranks.LAUNCHER)
    until = time.monotonic() + _GRACE
    while time.monotonic() < until:
        with contextlib.suppress(LabError):
            told = read_state(run_folder)
            if told.state not in (*ALIVE, "lost") and (isinstance(error, Followed) or told.reason == str(error)):
                return True
        if first is not None and os.getppid() != int(first):
            return ranks.mine().local_rank > 1  # killed; one says so for all
        time.sleep(_POLL)
    return False
