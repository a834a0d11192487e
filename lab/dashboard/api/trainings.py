"""Trainings: started, steered, continued."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from anyio import from_thread
from fastapi import APIRouter, Query, Response

from lab.config.choices import group_choices
from lab.dashboard.api.dependencies import CatalogueDep, InferenceDep, JobsDep, RunsDep, SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import of_run, overrides
from lab.dashboard.schemas import Continuation, Fork, NewRun, NewSweep, RunOptions, RunSummary, SweepInfo, Value
from lab.dashboard.settings import Settings
from lab.dashboard.store import inside_root
from lab.dashboard.store.run_folders import JOB_FILE, SWEEP_FILE, Checkpoint, Runs
from lab.dashboard.trainings import actions
from lab.dashboard.trainings import processes as jobs_
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.trainings.summaries import parent_checkpoint
from lab.dashboard.worker.client import Inference
from lab.files.safe_files import read_json
from lab.runs.folder import run_folder_of

router = APIRouter(prefix="/api", tags=["trainings"])

_MOST_RUNS = 256
"""Of one sweep."""

Command = Literal["pause", "stop", "save", "evaluate"]


@router.post("/train", status_code=202)
def train(settings: SettingsDep, runs: RunsDep, jobs: JobsDep, catalogue: CatalogueDep, new: NewRun) -> RunSummary:
    """Starts a training, or puts it into the queue if the device is taken."""
    words = overrides.words(new.overrides, settings)
    config = overrides.check_together(new.overrides, settings)
    device = jobs_.device_of(config.trainer.accelerator)
    folder = jobs.enqueue(words, _short_name(new.overrides), device)
    return _named(runs, catalogue, folder, {"name": new.name, "tags": new.tags})


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
    folder = runs.folder(run_id)
    found = next((c for c in runs.checkpoints_in(folder) if c.id == how.checkpoint), None)
    if found is None:
        raise ApiError(404, "this run has no such checkpoint", "checkpoint")
    actions.check("fork", actions.standing(runs, jobs.state(folder).state, folder))
    words, device = _going_on(settings, inference, folder, found.path, how.overrides)
    return _named(runs, catalogue, jobs.enqueue(words, "fork", device), {"name": how.name})


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
    actions.check("resume", actions.standing(runs, state, folder))
    if state == "paused":
        jobs_.send(folder, "resume")
    else:
        given = how.overrides if how else {}
        jobs.enqueue_continuation(folder, *_going_on(settings, inference, folder, folder, given))
    return catalogue.refresh(folder)


@router.get("/runs/{run_id}/overrides")
def get_overrides(runs: RunsDep, run_id: str) -> RunOptions:
    """What the run is started with once more: as it was, or with changes."""
    folder = runs.folder(run_id)
    config, job = runs.config(folder), read_json(folder / JOB_FILE).get("words")
    earlier = _earlier(runs, folder)
    if earlier is None:
        return RunOptions(overrides=of_run.changed(config, job), fork=None, parent=None)
    parent, found = earlier
    given = of_run.changed(config, job, runs.config(parent))
    return RunOptions(overrides=given, fork=found.id, parent=runs.id_of(parent))


@router.post("/runs/{run_id}/again", status_code=202)
def start_again(
    settings: SettingsDep,
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    inference: InferenceDep,
    run_id: str,
) -> RunSummary:
    """Starts a run with the same options in a folder of its own; the run itself stays as it is."""
    folder = runs.folder(run_id)
    actions.check("again", actions.standing(runs, jobs.state(folder).state, folder))
    again = get_overrides(runs, run_id)
    if again.fork is not None and again.parent is not None:
        how = Fork(checkpoint=again.fork, overrides=again.overrides)
        started = fork(settings, runs, jobs, catalogue, inference, again.parent, how)
    else:
        started = train(settings, runs, jobs, catalogue, NewRun(overrides=again.overrides))
    called = {key: value for key, value in runs.notes(folder).items() if key in ("name", "tags")}
    return _named(runs, catalogue, runs.folder(started.id), called)


@router.post("/runs/{run_id}/{command}", status_code=202)
def steer(
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    run_id: str,
    command: Command,
    save: Annotated[bool, Query(description="Of a run that is stopped: with a checkpoint of its last step.")] = False,
) -> RunSummary:
    """Tells a run what to do. It does so after the step in progress, and its state changes when it has."""
    folder = runs.folder(run_id)
    state = jobs.state(folder).state
    actions.check(command, actions.standing(runs, state, folder))
    if not (command == "stop" and state == "queued" and jobs.cancel(folder)):
        # Paused first, or it might take another step between the two.
        for word in ("pause", "save", "stop") if command == "stop" and save else (command,):
            jobs_.send(folder, word)
    return catalogue.refresh(folder)


@router.post("/sweeps", status_code=202)
def start_sweep(settings: SettingsDep, runs: RunsDep, jobs: JobsDep, new: NewSweep) -> SweepInfo:
    """Starts a run for each combination of values, one after the other."""
    words = [*overrides.words(new.overrides, settings), *overrides.sweep_words(new.sweep, settings)]
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


def _earlier(runs: Runs, folder: Path) -> tuple[Path, Checkpoint] | None:
    """The run whose checkpoint the one in ``folder`` began with, and the checkpoint; None if it began with nothing.

    Raises:
        ApiError: if that checkpoint is gone.
    """
    path = parent_checkpoint(runs, folder)
    if path is None:
        return None
    parent = run_folder_of(path, follow_links=False)
    known = runs.checkpoints_in(parent) if parent in runs.find().values() else []
    found = next((one for one in known if one.path == path), None)
    if found is None:
        raise ApiError(409, f"the checkpoint that the run went on from is gone: {runs.place(path)}")
    return parent, found


def _named(runs: Runs, catalogue: Catalogue, folder: Path, notes: dict[str, object]) -> RunSummary:
    """The new run in ``folder``, called what somebody wants it called."""
    if any(notes.values()):
        runs.write_notes(folder, {key: value for key, value in notes.items() if value})
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
