"""Trainings: started, steered, continued."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from lab.config.schema import Config
from lab.dashboard.api import origins
from lab.dashboard.api.dependencies import CatalogueDep, InferenceDep, JobsDep, RunsDep, SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import cost, of_run, request
from lab.dashboard.options.command_line import command_line
from lab.dashboard.options.request import Parent, RunRequest
from lab.dashboard.schemas import Continuation, RunOptions, RunSummary, Started, SweepInfo
from lab.dashboard.store.run_folders import JOB_FILE, SWEEP_FILE, Checkpoint, Runs
from lab.dashboard.trainings import actions
from lab.dashboard.trainings import processes as jobs_
from lab.dashboard.trainings.summaries import parent_checkpoint
from lab.files.safe_files import read_json
from lab.runs.folder import run_folder_of
from lab.runs.notes import change_notes, read_notes

router = APIRouter(prefix="/api", tags=["trainings"])

Command = Literal["pause", "stop", "save", "evaluate"]
Confirmed = Annotated[bool, Query(description="Even if it will probably not fit into the memory.")]


@router.post("/train", status_code=202)
def train(
    settings: SettingsDep,
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    inference: InferenceDep,
    new: RunRequest,
) -> Started:
    """Starts a training, or a sweep of them; from nothing, or from a checkpoint, which stays as it is. Puts it into the
    queue if the device is taken."""
    origin = origins.find(settings, runs, inference, new.parent)
    if new.parent is not None:
        source = runs.folder(new.parent.run)
        actions.check("fork", actions.standing(runs, jobs.state(source).state, source))
    found = request.check(new, settings, origin)
    if not new.confirmed:
        _check_memory((config for config, _ in cost.kinds(new, settings, origin)), jobs)
    words = request.words(new, settings, origin)
    device = jobs_.device_of(found.config.trainer.accelerator)
    if new.runs > 1:
        folder = jobs.enqueue_sweep(words, device)
        _name(folder, new)
        return Started(kind="sweep", id=runs.id_of(folder))
    called = "fork" if origin else f"{found.choices['model']}-{found.choices['corpus']}"
    folder = jobs.enqueue(words, called, device)
    _name(folder, new)
    return Started(kind="run", id=catalogue.refresh(folder).id)


@router.post("/runs/{run_id}/resume", status_code=202)
def resume(
    settings: SettingsDep,
    runs: RunsDep,
    jobs: JobsDep,
    catalogue: CatalogueDep,
    inference: InferenceDep,
    run_id: str,
    how: Continuation | None = None,
    confirmed: Confirmed = False,
) -> RunSummary:
    """Lets a paused run go on; one that was stopped or lost goes on in its place from its newest checkpoint."""
    folder = runs.folder(run_id)
    state = jobs.state(folder).state
    actions.check("resume", actions.standing(runs, state, folder))
    if state == "paused":
        jobs_.send(folder, "resume")
    else:
        going_on = RunRequest(overrides=how.overrides if how else {})
        origin = origins.of(settings, inference, folder, folder)
        config = request.compose(going_on.overrides, settings, origin).config
        if not confirmed:
            _check_memory([config], jobs)
        words = request.words(going_on, settings, origin)
        jobs.enqueue_continuation(folder, words, jobs_.device_of(config.trainer.accelerator))
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
    confirmed: Confirmed = False,
) -> RunSummary:
    """Starts a run with the same options in a folder of its own; the run itself stays as it is."""
    folder = runs.folder(run_id)
    actions.check("again", actions.standing(runs, jobs.state(folder).state, folder))
    again = get_overrides(runs, run_id)
    parent = Parent(run=again.parent, checkpoint=again.fork) if again.parent and again.fork else None
    called = read_notes(folder)
    new = RunRequest(
        overrides=again.overrides,
        parent=parent,
        name=called.name or None,
        tags=list(called.tags),
        confirmed=confirmed,
    )
    return catalogue.refresh(runs.folder(train(settings, runs, jobs, catalogue, inference, new).id))


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


def _check_memory(configs: Iterable[Config], jobs: jobs_.Jobs) -> None:
    """Raises:
    ApiError: naming the field of a second word, if one of these runs does not fit into the memory that is free.
    """
    memory = cost.memory_of(configs, jobs)
    if not memory.fits:
        raise ApiError(409, memory.sentence, "confirmed")


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


def _name(folder: Path, new: RunRequest) -> None:
    """Calls the new run or sweep in ``folder`` what somebody wants it called."""
    if new.name or new.tags:
        change_notes(folder, name=new.name or "", tags=tuple(new.tags))


def _sweep(runs: Runs, jobs: jobs_.Jobs, folder: Path) -> SweepInfo:
    job = read_json(folder / SWEEP_FILE)
    return SweepInfo(
        id=runs.id_of(folder),
        path=runs.place(folder),
        name=read_notes(folder).name,
        state=jobs.sweep_state(folder),
        command=command_line(job.get("words")) or "",
        runs=[run_id for run_id, run in runs.find().items() if run.parent == folder],
    )
