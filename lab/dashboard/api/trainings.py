"""Trainings: started, steered, continued."""

import math
from functools import partial
from pathlib import Path
from typing import Literal

from anyio import from_thread
from fastapi import APIRouter, Response

from lab.config.choices import group_choices
from lab.dashboard.api.dependencies import CatalogueDep, InferenceDep, JobsDep, RunsDep, SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import overrides
from lab.dashboard.schemas import Continuation, Fork, Named, NewRun, NewSweep, RunSummary, SweepInfo, Value
from lab.dashboard.settings import Settings
from lab.dashboard.store import inside_root
from lab.dashboard.store.run_folders import SWEEP_FILE, Runs
from lab.dashboard.trainings import processes as jobs_
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.worker.client import Inference
from lab.files.safe_files import read_json
from lab.runs.notes import change_notes

router = APIRouter(prefix="/api", tags=["trainings"])

_MOST_RUNS = 256
"""Of one sweep."""

Command = Literal["pause", "stop", "save", "evaluate"]


@router.post("/train", status_code=202)
def train(settings: SettingsDep, runs: RunsDep, jobs: JobsDep, catalogue: CatalogueDep, new: NewRun) -> RunSummary:
    """Starts a training, or puts it into the queue if the device is taken."""
    words = [*overrides.words(new.overrides, settings), *_naming(new)]
    config = overrides.check_together(new.overrides, settings)
    device = jobs_.device_of(config.trainer.accelerator)
    return _named(catalogue, jobs.enqueue(words, _short_name(new.overrides), device), new)


@router.post("/runs/{run_id}/fork", status_code=202)
def fork(
    settings: SettingsDep,
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    inference: InferenceDep,
    run_id: str,
    how: Fork,
) -> RunSummary:
    """Starts a training that goes on from a checkpoint, in a folder of its own; the run itself stays as it is."""
    found = next((c for c in runs.checkpoints(run_id) if c.id == how.checkpoint), None)
    if found is None:
        raise ApiError(404, "this run has no such checkpoint", "checkpoint")
    words, device = _going_on(settings, inference, runs.folder(run_id), found.path, how.overrides)
    return _named(catalogue, jobs.enqueue([*words, *_naming(how)], "fork", device), how)


@router.post("/runs/{run_id}/resume", status_code=202)
def resume(
    settings: SettingsDep,
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    inference: InferenceDep,
    run_id: str,
    how: Continuation | None = None,
) -> RunSummary:
    """Lets a paused run go on; one that was stopped or lost goes on in its place from its newest checkpoint."""
    folder = runs.folder(run_id)
    state = jobs.state(folder).state
    if state == "paused":
        jobs_.send(folder, "resume", state)
    elif state in ("stopped", "failed", "lost"):
        if not runs.checkpoints(run_id):
            raise ApiError(409, f"the run is {state} and has kept no checkpoint to go on from: start it again")
        given = how.overrides if how else {}
        jobs.enqueue_continuation(folder, *_going_on(settings, inference, folder, folder, given))
    elif state == "finished":
        raise ApiError(409, "the run is finished: fork it from its last checkpoint, with more steps")
    else:
        raise ApiError(409, f"the run is {state}: there is nothing to resume")
    return catalogue.refresh(folder)


@router.post("/runs/{run_id}/{command}", status_code=202)
def steer(runs: RunsDep, jobs: JobsDep, catalogue: CatalogueDep, run_id: str, command: Command) -> RunSummary:
    """Tells a run what to do. It does so after the step in progress, and its state changes when it has."""
    folder = runs.folder(run_id)
    state = jobs.state(folder).state
    if not (command == "stop" and state == "queued" and jobs.cancel(folder)):
        jobs_.send(folder, command, state)
    return catalogue.refresh(folder)


@router.post("/sweeps", status_code=202)
def start_sweep(settings: SettingsDep, runs: RunsDep, jobs: JobsDep, new: NewSweep) -> SweepInfo:
    """Starts a run for each combination of values, one after the other."""
    words = [*overrides.words(new.overrides, settings), *overrides.sweep_words(new.sweep, settings), *_naming(new)]
    if math.prod(map(len, new.sweep.values())) > _MOST_RUNS:
        raise ApiError(422, f"these are more combinations than the {_MOST_RUNS} that one sweep may have", "sweep")
    for key, values in new.sweep.items():
        for value in values:
            config = overrides.check_together({**new.overrides, key: value}, settings)
    folder = jobs.enqueue_sweep(words, jobs_.device_of(config.trainer.accelerator))
    return _sweep(runs, jobs, folder)


@router.post("/sweeps/{sweep_id}/stop", status_code=204)
def stop_sweep(runs: RunsDep, jobs: JobsDep, sweep_id: str) -> Response:
    """Takes a sweep out of the queue, or ends it with its run in progress."""
    folder = runs.sweeps().get(sweep_id)
    if folder is None:
        raise ApiError(404, f"there is no sweep {sweep_id[:32]}", "id")
    jobs.stop_sweep(folder)
    return Response(status_code=204)


@router.get("/sweeps")
def list_sweeps(runs: RunsDep, jobs: JobsDep) -> list[SweepInfo]:
    """The sweeps that this server was asked for."""
    return [_sweep(runs, jobs, folder) for folder in runs.sweeps().values()]


def _naming(new: Named) -> list[str]:
    return overrides.naming_words(new.name, new.tags, new.note)


def _named(catalogue: Catalogue, folder: Path, new: Named) -> RunSummary:
    """The new run in ``folder``, which is called what it shall be called while it waits, too."""
    if new.name or new.tags or new.note:
        change_notes(folder, name=new.name or "", tags=tuple(new.tags), note=new.note or "")
    return catalogue.refresh(folder)


def _going_on(
    settings: Settings, inference: Inference, folder: Path, source: Path, given: dict[str, Value]
) -> tuple[list[str], str]:
    """The words that let a run go on from ``source``, its folder or a checkpoint in it, and the device. A run may have
    been downloaded: no link in it leads out, and it brings along no option that could not be given here."""
    inside_root.refuse_links_in(folder)
    words = overrides.words(given, settings)
    # In the process that opens checkpoints for this server: some are large, and it may break.
    ask = partial(inference.ask, "inherited", source, typed=words, start_folder=settings.root)
    found, inherited = from_thread.run(ask)
    device = jobs_.device_of(overrides.check_inherited(inherited, given, settings).trainer.accelerator)
    return [f"resume={found}", *words], device


def _short_name(given: dict[str, Value]) -> str:
    """As runs from the command line are called: by model and corpus."""
    named = {group: str(given.get(group, default)) for group, default in (("model", "nano"), ("corpus", "fables"))}
    return "-".join(name for group, name in named.items() if name in group_choices(group))


def _sweep(runs: Runs, jobs: jobs_.Jobs, folder: Path) -> SweepInfo:
    job = read_json(folder / SWEEP_FILE)
    return SweepInfo(
        id=runs.id_of(folder),
        path=runs.place(folder),
        state=jobs.sweep_state(folder),
        command=overrides.command_line(job.get("words")) or "",
        runs=[run_id for run_id, run in runs.find().items() if run.parent == folder],
    )
