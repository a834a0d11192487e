"""What a run leaves in its folder, and who may write there."""

import contextlib
import math
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from filelock import FileLock, Timeout

from lab import atomic, belongings, control, events, strictjson
from lab.belongings import CONFIG_FILE, RESULTS_FILE
from lab.config import Config, to_plain
from lab.errors import FolderTaken, Interrupted, LabError
from lab.paths import typed_path
from lab.schema import nothing_or, number, parts, plain, table, text

if TYPE_CHECKING:
    import lightning as L

    from lab.callbacks import Record
    from lab.data import LabData
    from lab.module import GPTModule
    from lab.plan import Plan
    from lab.text import Corpus


_RESULTS = parts(
    {},
    {
        "best_val_loss": nothing_or(number(0, infinite=True)),
        "versions": table(text()),
        "git_revision": nothing_or(text()),
    },
    others=plain,
)


_BEFORE_A_RUN = (".hydra", belongings.LOCK_FILE, "train.log")
"""What Hydra and the lock leave in a folder before anything of a run is in it."""


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds the lock of a run folder. The system frees it when the process ends, however it ends.

    Raises:
        FolderTaken: if another process holds it, or somebody else's files are in the way.
    """
    belongings.refuse_strangers(folder)
    try:
        with FileLock(folder / belongings.LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise FolderTaken(f"another process is training in {folder}: wait for it, or take another folder") from error


def refuse_used(folder: Path, anew: bool) -> None:
    """Makes sure that a new run does not mix with an older one. ``anew``: clears away one that got nowhere instead.

    Raises:
        LabError: if the folder holds a run already.
    """
    used = [name for name in (control.STATE_FILE, events.FILE, RESULTS_FILE) if (folder / name).exists()]
    if used == [control.STATE_FILE] and control.read_state(folder)["state"] == "queued":
        return  # it is this run that was waiting here
    if used and not anew:
        saved = next(folder.glob("checkpoints/*.ckpt"), None) is not None
        ways = f"continue it with resume={shlex.quote(str(folder))}, or " if saved else ""
        raise LabError(f"{folder} holds a run already: {ways}take another folder")
    told = list(events.read(folder))
    belongings.clear(folder, used)
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


def has_begun(folder: Path) -> bool:
    """Does ``folder`` hold a run, or one that waits there?"""
    return any((folder / name).exists() for name in (CONFIG_FILE, control.STATE_FILE, events.FILE))


def take_away(folder: Path, there: set[Path], keep_lock: bool) -> None:
    """Removes what a run that was refused before it began has left of itself: nothing that was ``there`` before, and
    nothing that anybody else has put there since. ``keep_lock``: it is the lock of another process."""
    if keep_lock:
        there = {*there, folder / belongings.LOCK_FILE}
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


def write_config(folder: Path, config: Config) -> None:
    """Every option of the run, resolved, as ``config.yaml``."""
    atomic.write_text(folder / CONFIG_FILE, yaml.safe_dump(to_plain(config), sort_keys=False, allow_unicode=True))


def write_results(folder: Path, results: dict[str, Any]) -> None:
    """The outcome, as ``results.json``."""
    atomic.write_json(folder / RESULTS_FILE, results)


def read_results(folder: Path) -> dict[str, Any]:
    """The outcome of the run in ``folder``; an infinite loss if it did not come to one."""
    try:
        told = strictjson.loads((folder / RESULTS_FILE).read_text(encoding="utf-8"))
        found: dict[str, Any] = _RESULTS({name: strictjson.number(value) for name, value in told.items()}, "")
    except (OSError, ValueError, AttributeError):
        found = {}
    return found if found.get("best_val_loss") is not None else {**found, "best_val_loss": math.inf}


def write_end(folder: Path, log: events.EventLog, results: dict[str, Any]) -> None:
    """Says in the run's state and in its log how it ended."""
    state = "finished" if results["status"] == "finished" else "stopped"
    fields = {"reason": results["reason"]} if results["reason"] else {}
    control.write_state(folder, state, step=results["steps"], total_steps=results["total_steps"], **fields)
    log.append("state", results["steps"], state=state, **fields)


def has_finished(folder: Path, total_steps: int) -> bool:
    """Has the run in ``folder`` come to its end, and was it meant to be ``total_steps`` long?"""
    with contextlib.suppress(LabError):
        told = control.read_state(folder)
        return told["state"] == "finished" and told.get("total_steps") == total_steps
    return False


def note_end(folder: Path, state: str, reason: str) -> None:
    """Says in the run's state that it ``failed``, or was ``stopped`` before it began to train; but not where an earlier
    process, or this one, has told already how the run ended."""
    with contextlib.suppress(LabError, OSError):
        fresh = {"state": "running", "pid": os.getpid()}
        told = control.read_state(folder) if (folder / control.STATE_FILE).exists() else fresh
        if told["state"] == "queued" or (told["state"] in control.ALIVE and told.get("pid") == os.getpid()):
            fields = {key: told.get(key, 0) for key in ("step", "total_steps")}
            control.write_state(folder, state, reason=reason, **fields)


def results(
    config: Config,
    plan: "Plan",
    corpus: "Corpus",
    data: "LabData",
    trainer: "L.Trainer",
    module: "GPTModule",
    record: "Record",
    interrupted: Interrupted | None,
    parent: Path | None,
) -> dict[str, Any]:
    """What came out of a run. Losses are in nats a token, those of validation over the whole validation text, that of
    training over the batch of its step. Tokens per second are those of this process, ``seconds`` those of all parts."""
    from lab.metrics import unigram_loss

    return {
        "status": "interrupted" if interrupted else "finished",
        "reason": interrupted.reason if interrupted else None,
        "train_loss": module.train_loss,
        "train_step": None if module.train_loss is None else module.clock[0],
        "val_loss": record.val.get("val_loss"),
        "val_step": record.val_step if record.val else None,
        "best_val_loss": record.best["val_loss"] if record.val else None,
        "best_step": record.best_step,
        "perplexity": record.val.get("val_perplexity"),
        "bits_per_byte": record.val.get("val_bits_per_byte"),
        # What counting single tokens reaches, without any network: the level to beat.
        "unigram_val_loss": unigram_loss(data.train_tokens, data.val_tokens[1:], config.model.vocab_size),
        "unigram_train_loss": unigram_loss(data.train_tokens, data.train_tokens[1:], config.model.vocab_size),
        "tokens_seen": data.position * config.model.context_length,
        "tokens_per_second": module.overall_rate,
        "steps": trainer.global_step,
        "total_steps": plan.total_steps,
        "seconds": record.total_seconds,
        "parent": str(parent) if parent else None,
        "model": asdict(config.model),
        "corpus": {
            "name": config.corpus.name,
            "fingerprint": corpus.tokens.fingerprint,
            "n_tokens": corpus.tokens.n_tokens,
            "documents": corpus.tokens.n_documents,
            "files": len(corpus.found.files),
            "bytes": corpus.found.n_bytes,
            "left_out": corpus.found.left_out,
        },
        "parameters": module.model.num_parameters(),
        "seed": config.seed,
        "versions": _versions(),
        "git_revision": _git_revision(),
    }


def _versions() -> dict[str, str]:
    """Of everything that could make a difference between two runs."""
    found = {"python": platform.python_version()}
    for package in ("gpt-lab", "torch", "lightning", "hydra-core", "tiktoken", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _git_revision() -> str | None:
    """The commit of the code, with ``-dirty`` if there are uncommitted changes; None outside a clone."""
    clone = str(Path(__file__).resolve().parent.parent)
    command = ["git", "-C", clone, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
