"""Trainings as processes of their own, and the queue in front of the device.

A training that the server starts is the same command that a person would type, in a session of its own: it does not end
with the server, and a server that is started again finds it by its pid and start time. What waits is written down in
its run folder, so that the queue outlives the server, too.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import torch

from lab import atomic, control
from lab.cli import make_unused
from lab.dashboard.errors import ApiError
from lab.dashboard.plainfile import opened, read_json
from lab.dashboard.runs import JOB_FILE, LOG_FILE, SWEEP_FILE, Runs
from lab.dashboard.settings import Settings
from lab.errors import LabError

_POLL_SECONDS = 0.5


def device_of(accelerator: object) -> str:
    """What ``trainer.accelerator`` comes to on this machine: ``gpu``, ``mps`` or ``cpu``."""
    if accelerator in ("gpu", "mps", "cpu"):
        return str(accelerator)
    return "gpu" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


class Jobs:
    """Starts trainings, one at a time on each device. A paused training keeps its slot, for it keeps its memory."""

    def __init__(self, settings: Settings, runs: Runs) -> None:
        self.settings = settings
        self.runs = runs
        self._lock = threading.RLock()
        self._children: list[subprocess.Popen[bytes]] = []
        self._stopped = threading.Event()
        self._may_wait = True
        """Could there be something in the queue? Looking for it reads a file of every run."""

    def start(self) -> None:
        """Looks after the queue from now on, in a thread of its own."""
        threading.Thread(target=self._serve, name="queue", daemon=True).start()

    def stop(self) -> None:
        """Looks after it no longer. Trainings go on."""
        self._stopped.set()

    def enqueue(self, words: Sequence[str], name: str, device: str) -> Path:
        """A new run on ``device`` with the options ``words``, as lab.train takes them. Returns its folder."""
        now = datetime.now()
        base = self.settings.root / "outputs" / f"{now:%Y-%m-%d}"
        folder = _unused(base / f"{now:%H-%M-%S}-{name}")
        self._queue(folder, [*words, f"hydra.run.dir={folder}"], device)
        return folder

    def enqueue_continuation(self, folder: Path, words: Sequence[str]) -> None:
        """The run in ``folder``, stopped or lost, goes on in its place from its newest checkpoint."""
        told = self.runs.state(folder)
        earlier = {key: told.get(key) for key in ("step", "total_steps")}
        words = [f"resume={folder}", *words, f"hydra.run.dir={folder}"]
        self._queue(folder, words, self.device(folder), **earlier)

    def device(self, folder: Path) -> str:
        """What the run in ``folder`` trains on."""
        trainer = self.runs.config(folder).get("trainer")
        return device_of(trainer.get("accelerator") if isinstance(trainer, dict) else None)

    def enqueue_sweep(self, words: Sequence[str], device: str) -> Path:
        """A sweep: one process for all its jobs. Returns the folder that will hold their folders."""
        now = datetime.now()
        folder = _unused(self.settings.root / "multirun" / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}")
        words = ["-m", *words, f"hydra.sweep.dir={folder}"]
        with self._lock:
            job = {"words": words, "device": device, "queued": time.time(), "pid": None}
            atomic.write_json(folder / SWEEP_FILE, job)
            self._may_wait = True
        self.advance()
        return folder

    def stop_sweep(self, folder: Path) -> None:
        """Takes a sweep out of the queue, or ends it, and with it its run in progress.

        Raises:
            ApiError: if it has ended already.
        """
        with self._lock:
            job = read_json(folder / SWEEP_FILE)
            if has_process(job):
                os.kill(job["pid"], signal.SIGTERM)
            elif job.get("pid") is None:
                shutil.rmtree(folder)
            else:
                raise ApiError(409, "the sweep has ended already")

    def cancel(self, folder: Path) -> bool:
        """Takes a run that waits out of the queue. False if it is not waiting."""
        with self._lock:
            job = read_json(folder / JOB_FILE)
            if job.get("pid") is not None or self.runs.state(folder)["state"] != "queued":
                return False
            (folder / JOB_FILE).unlink(missing_ok=True)
            told = self.runs.state(folder)
            stopped = {key: told.get(key) for key in ("step", "total_steps")}
            ended = {"state": "stopped", **stopped, "reason": "taken out of the queue", "pid": None}
            atomic.write_json(folder / control.STATE_FILE, ended | {"updated": time.time()})
            return True

    def state(self, folder: Path) -> dict[str, Any]:
        """What a run is doing, as it says itself; or, where it cannot say anything yet or any more, what is known."""
        told = self.runs.state(folder)
        if told["state"] != "queued":
            return told
        job = read_json(folder / JOB_FILE)
        if job.get("pid") is not None and not has_process(job):
            reason = "it ended before it began to train: its log says why"
            lines = [line for line in log_tail(folder, 4096).splitlines() if line.strip()]
            return told | {"state": "failed", "reason": lines[-1].removeprefix("error: ") if lines else reason}
        return told

    def busy(self) -> dict[Path, str]:
        """The folders of runs and sweeps that a process stands behind, and the device of each."""
        jobs = {file.parent: read_json(file) for file in self._job_files()}
        ours = {folder: device_of(job.get("device")) for folder, job in jobs.items() if has_process(job)}
        told = [
            f for f in self.runs.find().values() if self.runs.state(f)["state"] in ("running", "paused", "stopping")
        ]
        return {folder: self.device(folder) for folder in told} | ours

    def waiting(self) -> list[Path]:
        """The job files of what waits for its turn, the first in line first."""
        found = []
        for file in self._job_files():
            job = read_json(file)
            queued = job.get("queued")
            if job.get("pid") is None and isinstance(queued, int | float) and isinstance(job.get("words"), list):
                found.append((queued, file))
        return [file for _, file in sorted(found)]

    def advance(self) -> None:
        """Starts the first in line for each device that is free."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
            if not self._may_wait:
                return
            waiting = self.waiting()
            self._may_wait = bool(waiting)
            taken = set(self.busy().values()) if waiting else set()
            for file in waiting:
                device = device_of(read_json(file).get("device"))
                if device not in taken:
                    taken.add(device)
                    self._launch(file)

    def _job_files(self) -> list[Path]:
        return [
            *(folder / JOB_FILE for folder in self.runs.find().values()),
            *(folder / SWEEP_FILE for folder in self.runs.sweeps().values()),
        ]

    def _serve(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            try:
                self.advance()
            except Exception:  # a full disk, a damaged file: it is told, and tried again
                logging.getLogger("lab.dashboard").exception("the queue")

    def _queue(self, folder: Path, words: list[str], device: str, **fields: Any) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                job = {"words": words, "device": device, "queued": time.time(), "pid": None}
                atomic.write_json(folder / JOB_FILE, job)
                control.write_queued(folder, **fields)
                self._may_wait = True
        except OSError as error:
            raise ApiError(503, f"the run cannot be written to {folder} ({error.strerror}): make room") from error
        self.advance()

    def _launch(self, file: Path) -> None:
        job = read_json(file)
        command = [sys.executable, "-m", "lab.train", *map(str, job["words"])]
        with (file.parent / LOG_FILE).open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=self.settings.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._children.append(child)
        with contextlib.suppress(psutil.Error):
            started = psutil.Process(child.pid).create_time()
            atomic.write_json(file, job | {"pid": child.pid, "process_started": started})


def has_process(job: dict[str, Any]) -> bool:
    """Does the process that a job file speaks of still stand behind it?"""
    pid, started = job.get("pid"), job.get("process_started")
    return isinstance(pid, int) and isinstance(started, int | float) and control.is_alive(pid, started)


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
        control.send(folder, command)
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


def _unused(wanted: Path) -> Path:
    try:
        return make_unused(wanted)
    except OSError as error:
        raise ApiError(503, f"{wanted} cannot be made ({error.strerror})") from error
