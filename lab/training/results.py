"""What came out of a run."""

import contextlib
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import lightning as L

import lab
from lab.errors import Interrupted
from lab.runs.results import Results
from lab.runs.yardsticks import Yardsticks
from lab.training.callbacks import Record
from lab.training.module import GPTModule
from lab.training.preparation import Preparation


def collect(
    run: Preparation,
    trainer: L.Trainer,
    module: GPTModule,
    record: Record,
    levels: Yardsticks,
    interrupted: Interrupted | None,
) -> Results:
    """What came out of a run; ``levels`` is what its loss is to be held against, ``interrupted`` what has ended it
    before its time."""
    config, corpus, data = run.config, run.corpus, run.data
    return Results(
        status="interrupted" if interrupted else "finished",
        reason=interrupted.reason if interrupted else None,
        train_loss=module.train_loss,
        train_step=None if module.train_loss is None else module.clock[0],
        val_loss=record.val.get("val_loss"),
        val_step=record.val_step if record.val else None,
        best_val_loss=record.best["val_loss"] if record.val else None,
        best_step=record.best_step,
        perplexity=record.val.get("val_perplexity"),
        bits_per_byte=record.val.get("val_bits_per_byte"),
        unigram_val_loss=levels.unigram_val_loss,
        unigram_train_loss=levels.unigram_train_loss,
        parts={
            name: {"passes": passes, "bits_per_byte": module.bits_of_parts.get(name)}
            for name, passes in data.passes(data.position).items()
        }
        or None,
        floor_loss=levels.floor_loss,
        floor_bits_per_byte=levels.floor_bits_per_byte,
        tokens_seen=data.position * config.model.context_length,
        tokens_per_second=module.overall_rate,
        steps=trainer.global_step,
        total_steps=run.plan.total_steps,
        seconds=record.total_seconds,
        parent=str(run.earlier.path) if run.earlier else None,
        model=asdict(config.model),
        corpus={
            "name": config.corpus.name,
            "fingerprint": corpus.tokens.fingerprint,
            "n_tokens": corpus.tokens.n_tokens,
            "documents": corpus.tokens.n_documents,
            "files": len(corpus.found.files),
            "bytes": corpus.found.n_bytes,
            "left_out": corpus.found.left_out,
        },
        parameters=module.model.num_parameters(),
        seed=config.seed,
        versions=_versions(),
        git_revision=_git_revision(),
    )


def _versions() -> dict[str, str]:
    """Of everything that could make a difference between two runs."""
    found = {"python": platform.python_version()}
    for package in ("gpt-lab", "torch", "lightning", "hydra-core", "tiktoken", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _git_revision() -> str | None:
    """The commit of the code, with ``-dirty`` if there are uncommitted changes; None outside a clone."""
    clone = str(Path(lab.__file__).resolve().parent.parent)
    command = ["git", "-C", clone, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
