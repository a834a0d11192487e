"""The real command lines, as a user types them, on a model that is small."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.forked import ROOT, started

TINY = (
    "model.emb_dim=32",
    "model.n_layers=2",
    "model.n_heads=2",
    "model.context_length=16",
    "sample.max_tokens=4",
    "data.max_val_tokens=300",
    "trainer=cpu",
)
"""A model small enough that starting Python takes longer than training it."""


@dataclass
class Finished:
    """A command that has ended, and the run folder it made, if any."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def runs(self) -> list[Path]:
        """The run folders below the folder it ran in, oldest first."""
        found = {p.parent for kind in ("outputs", "multirun") for p in self.folder.glob(f"{kind}/*/*/**/config.yaml")}
        return sorted(f for f in found if f.name != ".hydra")

    def __post_init__(self) -> None:
        # Now, not when it is asked for: by then, other commands may have made newer ones.
        self._newest = max(self.runs, key=lambda folder: folder.stat().st_ctime_ns, default=None)

    @property
    def run(self) -> Path:
        """The run folder that was the newest when the command had ended."""
        assert self._newest is not None, self.out + self.err
        return self._newest

    @property
    def results(self) -> dict[str, Any]:
        return json.loads((self.run / "results.json").read_text())


def lab(folder: Path, module: str, *arguments: str, env: dict[str, str] | None = None, timeout: int = 1500) -> Finished:
    """Runs ``python -m lab.MODULE ARGUMENTS`` in ``folder``, as a user would: with ``env`` in a Python that starts
    with it, else in a fork of one that has started.

    The timeout catches a command that hangs. It is no measure of speed: another test may have the other core.
    """
    if env is None:
        with started(folder, f"lab.{module}", *arguments) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return Finished(process.returncode or 0, out, err, folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **env}
    done = subprocess.run(
        [sys.executable, "-m", f"lab.{module}", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8").partition(":")[0],  # a machine may have another one
        timeout=timeout,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr, folder)


def train(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Finished:
    """Trains, and expects it to work."""
    done = lab(folder, "train", *arguments, env=env)
    assert done.code == 0, done.out + done.err
    return done


def scalars(run: Path) -> dict[str, dict[int, float]]:
    """TensorBoard's curves of a run: tag to step to value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: dict[str, dict[int, float]] = {}
    for file in sorted((run / "tensorboard").glob("events.*")):
        events = EventAccumulator(str(file), size_guidance={"scalars": 0})
        events.Reload()
        for tag in events.Tags()["scalars"]:
            found.setdefault(tag, {}).update({e.step: e.value for e in events.Scalars(tag)})
    return found


def inside(main: Callable[[], None], folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs a command line inside this process, in ``folder``. Returns its exit code, standard output and error."""
    out, err, code, before = io.StringIO(), io.StringIO(), 0, (sys.argv, Path.cwd())
    try:
        sys.argv = ["lab", *arguments]
        os.chdir(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before[0]
        os.chdir(before[1])
    return code, out.getvalue(), err.getvalue()


def train_here(folder: Path, *arguments: str) -> Finished:
    """Trains inside this process: the same ``main``, without the seconds of importing."""
    from lab import train as module

    code, out, err = inside(module.main, folder, *arguments)
    return Finished(code, out, err, folder)


def tiny(folder: Path, *arguments: str) -> Finished:
    """A tiny run inside this process that must succeed."""
    done = train_here(folder, *TINY, *arguments)
    assert done.code == 0, done.out + done.err
    return done
