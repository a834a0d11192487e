"""What a run leaves in its folder, and who may write there."""

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from lab.config.schema import Config, to_plain
from lab.errors import FolderTaken, LabError
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.run_files import CHECKPOINTS_FOLDER, CONFIG_FILE, EVENTS_FILE, LOG_FILE, RESULTS_FILE, STATE_FILE
from lab.runs import events, ownership
from lab.runs.results import Results
from lab.runs.state import ALIVE, Progress, RunState, State, read_state, write_state
from lab.system import ranks

_BEFORE_A_RUN = (".hydra", ownership.LOCK_FILE, LOG_FILE)
"""What Hydra and the lock leave in a folder before anything of a run is in it."""


def run_folder_of(checkpoint: Path, follow_links: bool = True) -> Path:
    """The folder of the run that a checkpoint file lies in. ``follow_links``: where the file really is; else as it is
    written, without a look at the disk."""
    return (checkpoint.resolve() if follow_links else checkpoint).parent.parent


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds the lock of a run folder. The system frees it when the process ends, however it ends. Of the processes of a
    run, the first holds it for all.

    Raises:
        FolderTaken: if another process holds it, or somebody else's files are in the way.
    """
    if not ranks.is_first():
        yield
        return
    ownership.refuse_strangers(folder)
    try:
        with FileLock(folder / ownership.LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise FolderTaken(f"another process is training in {folder}: wait for it, or take another folder") from error


def refuse_used(folder: Path, anew: bool) -> None:
    """Makes sure that a new run does not mix with an older one. ``anew``: clears away one that got nowhere instead. To
    be asked by the first of the run's processes: the others find it there.

    Raises:
        LabError: if the folder holds a run already.
    """
    if not ranks.is_first():
        return
    used = [name for name in (STATE_FILE, EVENTS_FILE, RESULTS_FILE) if (folder / name).exists()]
    if used == [STATE_FILE] and read_state(folder).state == "queued":
        return  # it is this run that was waiting here
    if used and not anew:
        ways = f"continue it with resume={shlex.quote(str(folder))}, or " if has_checkpoint(folder) else ""
        raise LabError(f"{folder} holds a run already: {ways}take another folder")
    told = list(events.read(folder))
    ownership.clear(folder, used)
    if told:  # whoever has listened so far goes on listening
        events.begin_again(folder, told, [], 0)


def existing(words: Sequence[str]) -> set[Path]:
    """Of the places that a run with these options may take before it begins, those that are there already."""
    outputs = Path.cwd() / "outputs"
    found = {outputs, *outputs.glob("*")}
    for word in words:
        if word.startswith("hydra.run.dir="):
            chosen = typed_path(word.partition("=")[2], Path.cwd())
            found |= {chosen, *chosen.parents, *(chosen / name for name in _BEFORE_A_RUN)}
    return {path for path in found if path.exists()}


def has_checkpoint(folder: Path) -> bool:
    """Is there anything in ``folder`` to go on from?"""
    return next((folder / CHECKPOINTS_FOLDER).glob("*.ckpt"), None) is not None


def has_begun(folder: Path) -> bool:
    """Does ``folder`` hold a run, or one that waits there?"""
    return any((folder / name).exists() for name in (CONFIG_FILE, STATE_FILE, EVENTS_FILE))


def take_away(folder: Path, there: set[Path], keep_lock: bool) -> None:
    """Removes what a run that was refused before it began has left of itself: nothing that was ``there`` before, and
    nothing that anybody else has put there since. ``keep_lock``: it is the lock of another process."""
    if keep_lock:
        there = {*there, folder / ownership.LOCK_FILE}
    with contextlib.suppress(OSError):
        for left in (folder / name for name in _BEFORE_A_RUN):
            if left.is_dir() and left not in there:
                shutil.rmtree(left)
            elif left not in there:
                left.unlink(missing_ok=True)
        for inner in [] if folder in there else sorted(folder.rglob("*"), key=lambda path: -len(path.parts)):
            inner.rmdir()  # the empty one of a logger
        for made in (folder, *folder.parents):
            if made in there or made == Path.cwd():
                break
            made.rmdir()  # refuses, if there is anything in it


def end_in_mistake(folder: Path, there: set[Path], error: LabError) -> None:
    """What becomes of the folder of a run that ended in a mistake: of one that was refused before it began, nothing is
    left (see ``take_away``); one that had begun says so."""
    if not ranks.is_first():
        return
    taken = isinstance(error, FolderTaken)  # by somebody who has the say about what becomes of it
    if taken or not has_begun(folder):
        take_away(folder, there, keep_lock=taken)
    else:
        note_end(folder, "failed", str(error))


def write_config(folder: Path, config: Config) -> None:
    """Every option of the run, resolved, as ``config.yaml``; by the first of its processes."""
    if not ranks.is_first():
        return
    atomic.write_text(folder / CONFIG_FILE, yaml.safe_dump(to_plain(config), sort_keys=False, allow_unicode=True))


def write_end(folder: Path, log: events.EventLog, results: Results) -> None:
    """Says in the run's state and in its log how it ended."""
    state: State = "finished" if results.status == "finished" else "stopped"
    progress: Progress = {"step": results.steps, "total_steps": results.total_steps}
    if results.reason:
        progress["reason"] = results.reason
    write_state(folder, state, **progress)
    log.state(results.steps or 0, state, results.reason or None)


def has_finished(folder: Path, total_steps: int) -> bool:
    """Has the run in ``folder`` come to its end, and was it meant to be ``total_steps`` long?"""
    with contextlib.suppress(LabError):
        told = read_state(folder)
        return told.state == "finished" and told.total_steps == total_steps
    return False


def note_end(folder: Path, state: State, reason: str) -> None:
    """Says in the run's state that it ``failed``, or was ``stopped`` before it began to train; but not where an earlier
    process, or this one, has told already how the run ended."""
    with contextlib.suppress(LabError, OSError):
        fresh = RunState("running", pid=os.getpid())
        told = read_state(folder) if (folder / STATE_FILE).exists() else fresh
        if told.state == "queued" or (told.state in ALIVE and told.pid == os.getpid()):
            write_state(folder, state, reason=reason, step=told.step or 0, total_steps=told.total_steps or 0)
