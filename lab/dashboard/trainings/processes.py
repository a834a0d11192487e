"""Trainings as processes of their own, and the queue in front of the devices.

A training that the server starts is the same command that a person would type, in a session of its own: it does not end
with the server, and a server that is started again finds it by its pid and start time. What waits is written down in
the server's own folder, so that the queue outlives the server, too. What a run folder says is never obeyed: it may
have been downloaded.
"""

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Unpack

import psutil

from lab.config.resolvers import make_unused
from lab.dashboard.http_errors import ApiError
from lab.dashboard.settings import Settings
from lab.dashboard.store import inside_root
from lab.dashboard.store.run_folders import JOB_FILE, SWEEP_FILE, Runs
from lab.dashboard.trainings.queue import Job, Queue
from lab.errors import LabError
from lab.files import atomic
from lab.files.run_files import LOG_FILE
from lab.files.safe_files import opened, readable
from lab.runs import command_files
from lab.runs.state import Progress, RunState, State, write_gone, write_queued
from lab.system import device as devices

_POLL_SECONDS = 0.5


def device_of(accelerator: object) -> str:
    """What ``trainer.accelerator`` comes to on this machine: ``gpu``, ``mps`` or ``cpu``."""
    return str(accelerator) if accelerator in devices.DEVICES else devices.choose()


class Jobs:
    """Starts trainings, one at a time on the processor and on each GPU. A paused training keeps its slot, for it keeps
    its memory."""

    def __init__(self, settings: Settings, runs: Runs) -> None:
        self.settings = settings
        self.runs = runs
        self.queue = Queue(settings.own / "queue")
        self._lock = threading.RLock()
        self._children: list[subprocess.Popen[bytes]] = []
        self._stopped = threading.Event()

    def start(self) -> None:
        """Looks after the queue from now on, in a thread of its own."""
        threading.Thread(target=self._serve, name="queue", daemon=True).start()

    def stop(self) -> None:
        """Looks after it no longer. Trainings go on."""
        self._stopped.set()

    def enqueue(self, words: Sequence[str], name: str, device: str) -> Path:
        """A new run on ``device`` with the options ``words``, as lab.train takes them. Returns its folder."""
        now = datetime.now()
        folder = self._unused("outputs", f"{now:%Y-%m-%d}", f"{now:%H-%M-%S}-{name}")
        self._queue(folder, [*words, f"hydra.run.dir={folder}"], device)
        return folder

    def enqueue_continuation(self, folder: Path, words: Sequence[str], device: str) -> None:
        """The run in ``folder``, stopped or lost, goes on in its place, from the checkpoint that ``words`` name."""
        if "${" in str(folder):  # Hydra would make another folder of it
            raise ApiError(409, f"{readable(str(folder))} has a name that no training goes on in: rename it")
        told = self.runs.state(folder)
        self._queue(folder, [*words, f"hydra.run.dir={folder}"], device, step=told.step, total_steps=told.total_steps)

    def enqueue_sweep(self, words: Sequence[str], device: str) -> Path:
        """A sweep with the options ``words``, the first of them ``-m``: one process for all its jobs. Returns the
        folder that will hold their folders."""
        now = datetime.now()
        folder = self._unused("multirun", f"{now:%Y-%m-%d}", f"{now:%H-%M-%S}")
        job = Job(folder, [*words, f"hydra.sweep.dir={folder}"], device, time.time())
        with self._lock, _room_in(folder):
            self.queue.put(job)
            _write_down(job)
        self.advance()
        return folder

    def sweep_state(self, folder: Path) -> Literal["queued", "running", "ended"]:
        """What a sweep is doing."""
        job = self.queue.get(folder)
        if job is None:
            return "ended"
        return "queued" if job.pid is None else "running" if job.has_process else "ended"

    def stop_sweep(self, folder: Path) -> None:
        """Takes a sweep out of the queue, or ends it, and with it its run in progress.

        Raises:
            ApiError: if it has ended already.
        """
        with self._lock:
            job = self.queue.get(folder)
            if job is not None and job.pid is None:
                self.queue.drop(folder)
                (folder / SWEEP_FILE).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # somebody has laid something else into it
                    folder.rmdir()
            elif job is not None and job.has_process:
                job.end()
            else:
                raise ApiError(409, "the sweep has ended already")

    def cancel(self, folder: Path) -> bool:
        """Takes a run that waits out of the queue. False if it is not waiting."""
        with self._lock:
            job = self.queue.get(folder)
            if job is None or job.pid is not None:
                return False
            self.queue.drop(folder)
            self._write_end(folder, "stopped", "taken out of the queue")
            return True

    def state(self, folder: Path) -> RunState:
        """What a run is doing, as it says itself; or, where it cannot say anything yet or any more, what is known."""
        told = self.runs.state(folder)
        if told.state != "queued":
            return told
        job = self.queue.get(folder)
        if job is None:
            return replace(told, state="stopped", reason="it waits in no queue of this server: start it again")
        if job.pid is not None and not job.has_process:
            return replace(told, state="failed", reason=_last_word(folder))
        return told

    def busy(self) -> dict[Path, str]:
        """The folders of runs and sweeps that a process stands behind, and the device of each."""
        ours = {job.folder: device_of(job.device) for job in self.queue.jobs() if job.has_process}
        told = [f for f in self.runs.find().values() if self.runs.state(f).state in ("running", "paused", "stopping")]
        return {folder: self._device(folder) for folder in told} | ours

    def advance(self) -> None:
        """Starts the first in line for each device that is free."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
            jobs = self.queue.jobs()
            for job in jobs:
                if job.pid is not None and not job.has_process:
                    self._put_to_rest(job)
            waiting = [job for job in jobs if job.pid is None]
            taken = self._taken() if waiting else {}
            for job in waiting:
                device = device_of(job.device)
                slots, used = range(devices.count(device)), taken.setdefault(device, set())
                free = [slot for slot in slots if slot not in used]
                if job.takes_all:
                    used |= set(slots)  # nobody behind it goes first, or its turn would never come
                    if len(free) == len(slots):
                        self._launch(replace(job, slots=free))
                elif free:
                    used.add(free[0])
                    self._launch(replace(job, slots=free[:1]))

    def _taken(self) -> dict[str, set[int]]:
        """By device, the slots that a process stands on. One that somebody else has started does not say where it is:
        it is taken to be on the first that is free, as torch chooses."""
        taken: dict[str, set[int]] = {}
        ours = [job for job in self.queue.jobs() if job.has_process]
        for job in ours:
            taken.setdefault(device_of(job.device), set()).update(job.slots or [0])
        for folder, device in self.busy().items():
            if not any(folder.is_relative_to(job.folder) for job in ours):  # a run of a sweep is the sweep's
                used = taken.setdefault(device, set())
                used.add(next(slot for slot in range(len(used) + 1) if slot not in used))
        return taken

    def _device(self, folder: Path) -> str:
        """What the run in ``folder`` trains on."""
        trainer = self.runs.config(folder).get("trainer")
        return device_of(trainer.get("accelerator") if isinstance(trainer, dict) else None)

    def _serve(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            try:
                self.advance()
            except Exception:  # a full disk, a damaged file: it is told, and tried again
                logging.getLogger("lab.dashboard").exception("the queue")

    def _unused(self, kind: str, day: str, name: str) -> Path:
        base = self.runs.base(kind)
        inside_root.refuse_links_to(base / day, base)
        with _room_in(base):
            return make_unused(base / day / name)

    def _queue(self, folder: Path, words: list[str], device: str, **fields: Unpack[Progress]) -> None:
        job = Job(folder, words, device, time.time())
        with self._lock, _room_in(folder):
            self.queue.put(job)
            _write_down(job)
            write_queued(folder, **fields)
        self.advance()

    def _launch(self, job: Job) -> None:
        if not job.folder.is_dir():  # somebody has removed it
            self.queue.drop(job.folder)
            return
        try:
            log = inside_root.appending(job.folder / LOG_FILE)
        except OSError as error:
            self._write_end(job.folder, "failed", f"{LOG_FILE} cannot be written ({error.strerror or error})")
            self.queue.drop(job.folder)
            return
        with log:
            child = subprocess.Popen(
                [sys.executable, "-m", "lab.train", *job.words],
                cwd=self.settings.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **_visible(job)},
            )
        self._children.append(child)
        with contextlib.suppress(psutil.Error):
            job = job.started(child.pid)
            self.queue.put(job)
            _write_down(job)

    def _put_to_rest(self, job: Job) -> None:
        """Forgets a job that has ended; of a run that has not said so itself, it is said here."""
        told = self.state(job.folder)
        if told.state == "failed" and self.runs.state(job.folder).state == "queued":
            self._write_end(job.folder, "failed", told.reason or _last_word(job.folder))
        self.queue.drop(job.folder)

    def _write_end(self, folder: Path, state: State, reason: str) -> None:
        write_gone(folder, state, reason, self.runs.state(folder))


def _visible(job: Job) -> dict[str, str]:
    """The GPU of a job, where there are several, for its environment."""
    if device_of(job.device) != "gpu" or devices.count("gpu") == 1 or len(job.slots) != 1:
        return {}
    # The server itself may have been given some of the machine's only.
    ours = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    (slot,) = job.slots
    return {"CUDA_VISIBLE_DEVICES": ours[slot] if slot < len(ours) else str(slot)}


def send(folder: Path, command: str, state: str) -> None:
    """Tells a run to do something.

    Raises:
        ApiError: if it cannot, in its state.
    """
    allowed = {
        "pause": ("running",),
        "resume": ("paused",),
        "stop": ("running", "paused"),
        "save": ("running", "paused"),
        "evaluate": ("running", "paused"),
    }
    if state not in allowed[command]:
        can = " or ".join(allowed[command])
        raise ApiError(409, f"the run is {state}: only one that is {can} can be told to {command}")
    try:
        command_files.send(folder, command)
    except LabError as error:
        raise ApiError(409, str(error)) from error


def log_tail(folder: Path, size: int) -> str:
    """The last ``size`` bytes that a training has printed."""
    try:
        with opened(folder / LOG_FILE) as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read(size).decode("utf-8", "replace")
    except OSError:
        return ""


def _last_word(folder: Path) -> str:
    """Why a training ended before it began."""
    lines = [line for line in log_tail(folder, 4096).splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "it ended before it began to train: its log says why"


def _write_down(job: Job) -> None:
    """What a run was started with, into its folder: to be read, not to be obeyed."""
    said = {key: value for key, value in asdict(job).items() if key != "folder"}
    atomic.write_json(job.folder / (SWEEP_FILE if job.is_sweep else JOB_FILE), said)


@contextlib.contextmanager
def _room_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApiError(503, f"{folder} cannot be written to ({error.strerror}): make room") from error
