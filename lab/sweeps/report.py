"""What a sweep says: of each job that has ended, and at its own end a table of all."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.comparison.run_curve import Evaluation
from lab.errors import shown
from lab.files.paths import shown as shown_path
from lab.files.run_files import STATE_FILE
from lab.runs.state import ALIVE
from lab.sweeps.jobs import Job, Outcome, best_evaluation, described, value
from lab.terminal import columns, duration

_POLL_SECONDS = 0.5
_SECONDS_BETWEEN_LINES = 30.0


def table(jobs: Sequence[Job], names: Sequence[str], became: Callable[[Job], Outcome], start_folder: Path) -> list[str]:
    """A line for each job: what sets it apart, its best validation, its state, its folder; the best one is marked."""
    best = {job.number: best_evaluation(job) for job in jobs}
    now = {job.number: became(job) for job in jobs}
    losses = {n: found.val_loss for n, found in best.items() if found is not None and now[n].state != "failed"}
    winner = min(losses, key=lambda number: losses[number], default=None)
    rows = [["job", *names, "bits per byte", "val loss", "state", "folder"]]
    for job in jobs:
        found = best[job.number]
        values = [value(job, name) for name in names]
        mark = ", the best" if job.number == winner and len(losses) > 1 else ""
        figures = ["", ""] if found is None else _figures(found)
        row = [str(job.number), *values, *figures, f"{_state(now[job.number])}{mark}"]
        rows.append([*row, shown_path(job.folder, start_folder)])
    return [f"  {line.rstrip()}" for line in columns(rows, numbers=False)]


def _figures(found: Evaluation) -> list[str]:
    bits = "" if found.bits_per_byte is None else f"{found.bits_per_byte:.4f}"
    return [bits, f"{found.val_loss:.4f}"]


def _state(became: Outcome) -> str:
    unfinished = became.state not in ("finished", "failed", "not begun")
    return f"{became.state} at step {became.steps}" if unfinished and became.steps else became.state


def ended(job: Job, names: Sequence[str], became: Outcome) -> str:
    """``job 2 (optimizer.lr=0.001): finished, 1.9341 bits per byte``."""
    what = described(job, names)
    found = best_evaluation(job)
    figure = "" if found is None or became.state == "failed" else f", {_figure(found)}"
    why = f" ({shown(became.reason, 300)})" if became.reason else ""
    return f"job {job.number}{f' ({what})' if what else ''}: {_state(became)}{figure}{why}"


def _figure(found: Evaluation) -> str:
    bits, loss = _figures(found)
    return f"{bits} bits per byte" if bits else f"loss {loss}"


@contextmanager
def watching(jobs: Sequence[Job], names: Sequence[str], became: Callable[[Job], Outcome]) -> Iterator[None]:
    """Within it, each of ``jobs`` that ends elsewhere is told in a line, and now and then how far the others are: what
    they print goes into a file of their own."""
    over = threading.Event()
    began = time.monotonic()
    before = {job.number: _stamp(job) for job in jobs}  # what an earlier process has said of them
    left = {job.number: job for job in jobs}
    total = len(left)

    def look() -> list[str]:
        running = []
        for number, job in list(left.items()):
            now = became(job)
            if now.state in ALIVE:
                running.append(f"job {number} at step {now.steps}")
            elif now.state not in ("not begun", "lost") and _stamp(job) != before[number]:
                del left[number]
                done = total - len(left)
                rest = f", {duration((time.monotonic() - began) / done * len(left))} left" if left else ""
                print(f"{ended(job, names, now)}; {done} of {total} done{rest}", flush=True)
        return running

    def watch() -> None:
        last = began
        while not over.wait(_POLL_SECONDS):
            running = look()
            if running and time.monotonic() - last > _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                print(f"{', '.join(running)}; {total - len(left)} of {total} done", flush=True)

    thread = threading.Thread(target=watch, name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()


def _stamp(job: Job) -> int:
    """Another number whenever the job has written its state."""
    try:
        return (job.folder / STATE_FILE).stat().st_mtime_ns
    except OSError:
        return 0
