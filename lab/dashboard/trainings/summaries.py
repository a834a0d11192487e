"""A run in a line: what its files say, put together."""

import contextlib
from functools import cache
from pathlib import Path
from typing import Any

from lab.dashboard.schemas import RunSummary
from lab.dashboard.store.downsample import downsample
from lab.dashboard.store.run_folders import JOB_FILE, SWEEP_FILE, Runs
from lab.dashboard.trainings import actions
from lab.dashboard.trainings.processes import Jobs
from lab.files.labels import label
from lab.files.run_files import CONFIG_FILE, STATE_FILE
from lab.files.safe_files import read_json
from lab.parts.config import ModelConfig
from lab.parts.cost import parameters
from lab.runs.folder import run_folder_of
from lab.runs.notes import read_notes
from lab.runs.results import checked
from lab.runs.speed import mean_rate
from lab.runs.state import ALIVE

_SPARKLINE = 32


def summarize(runs: Runs, jobs: Jobs, folder: Path) -> RunSummary:
    """The summary of the run in ``folder``; of one whose files are damaged, that they are."""
    try:
        return _summary(runs, jobs, folder)
    except Exception as error:  # what somebody has written into one folder hides none of the others
        return RunSummary(
            id=runs.id_of(folder),
            path=runs.place(folder),
            name=label(folder.name),
            state="lost",
            reason=f"its files are damaged ({type(error).__name__})",
            actions=["delete"],
        )


def _summary(runs: Runs, jobs: Jobs, folder: Path) -> RunSummary:
    told, config, notes = jobs.state(folder), runs.config(folder), read_notes(folder)
    checkpoints = runs.checkpoints_in(folder)
    results = checked(runs.results(folder))
    model, data, trainer = (config.get(group) or {} for group in ("model", "data", "trainer"))
    with runs.tails.lock:
        tail = runs.tails.get(folder)
        _, losses, _ = tail.points("train_loss")
        latest = {name: tail.latest(name) for name in ("train_loss", "val_loss", "tokens_per_second")}
        _, val_losses, _ = tail.points("val_loss")
        over, rates, _ = tail.points("tokens_per_second")
        seq, step = tail.seq, tail.step
        alerts = sum(event["kind"] == "alert" for event in tail.others)
    earlier = parent_checkpoint(runs, folder)
    return RunSummary(
        id=runs.id_of(folder),
        path=runs.place(folder),
        name=notes.name or label(folder.name),
        tags=list(notes.tags),
        note=notes.note,
        state=told.state,
        reason=told.reason,
        step=max(step, told.step or 0),
        total_steps=told.total_steps or results.total_steps,
        created=_modified(folder / JOB_FILE, folder / CONFIG_FILE, folder),
        updated=told.updated or _modified(folder / STATE_FILE),
        model=f"{model['n_layers']} x {model['emb_dim']}" if {"n_layers", "emb_dim"} <= model.keys() else "",
        parameters=_parameters(tuple(sorted(model.items()))) if model else None,
        corpus=(config.get("corpus") or {}).get("name"),
        tokens_per_step=_tokens_per_step(model, data, trainer),
        save=bool(config.get("save")),
        parent=None if earlier is None else runs.id_of(run_folder_of(earlier, follow_links=False)),
        train_loss=latest["train_loss"],
        val_loss=latest["val_loss"],
        best_val_loss=min((float(v) for v in val_losses if v == v), default=None),
        tokens_per_second=told.tokens_per_second or latest["tokens_per_second"]
        if told.state in ALIVE
        else results.tokens_per_second or mean_rate(over.tolist(), rates.tolist()),
        alerts=alerts,
        seq=seq,
        sparkline=losses[downsample(losses, _SPARKLINE)].tolist(),
        sweep=runs.id_of(folder.parent) if read_json(folder.parent / SWEEP_FILE) else None,
        actions=actions.possible(actions.standing(runs, told.state, folder)),
        checkpoints=len(checkpoints),
        saved_step=max((found.step for found in checkpoints if found.step is not None), default=None),
    )


def parent_checkpoint(runs: Runs, folder: Path) -> Path | None:
    """The checkpoint of another run that the one in ``folder`` goes on from, as far as that run says it."""
    # Its results name the checkpoint that was found; before there are any, the options name the one that was asked for.
    path = Path(str(checked(runs.results(folder)).parent or runs.config(folder).get("resume") or ""))
    ours = run_folder_of(path, follow_links=False) == folder
    return path if path.is_absolute() and path.suffix == ".ckpt" and not ours else None


@cache
def _parameters(shape: tuple[tuple[str, Any], ...]) -> int | None:
    """Of a model with these options."""
    try:
        return parameters(ModelConfig(**dict(shape)))
    except Exception:
        return None  # somebody has written something else into the run's config.yaml


def _tokens_per_step(model: dict[str, Any], data: dict[str, Any], trainer: dict[str, Any]) -> int | None:
    factors = (
        model.get("context_length"),
        data.get("batch_size"),
        trainer.get("accumulate_grad_batches"),
        trainer.get("devices"),
        trainer.get("num_nodes", 1),
    )
    product = 1
    for factor in factors:
        if not isinstance(factor, int):
            return None
        product *= factor
    return product


def _modified(*paths: Path) -> float:
    """When the first one that is there was written; seconds since 1970."""
    for path in paths:
        with contextlib.suppress(OSError):
            return path.lstat().st_mtime
    return 0.0
