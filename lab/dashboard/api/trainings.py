"""Trainings: started, steered, continued."""

from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Response

from lab.dashboard.api import origins
from lab.dashboard.api.dependencies import CatalogueDep, InferenceDep, JobsDep, RunsDep, SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import cost, request
from lab.dashboard.options.command_line import command_line
from lab.dashboard.options.request import RunRequest
from lab.dashboard.schemas import Continuation, RunSummary, Started, SweepInfo
from lab.dashboard.store.run_folders import SWEEP_FILE, Runs
from lab.dashboard.trainings import processes as jobs_
from lab.files.safe_files import read_json
from lab.runs.notes import change_notes

router = APIRouter(prefix="/api", tags=["trainings"])

Command = Literal["pause", "stop", "save", "evaluate"]


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
    found = request.check(new, settings, origin)
    if not new.confirmed:
        memory = cost.memory_of((config for config, _ in cost.kinds(new, settings, origin)), jobs)
        if not memory.fits:
            raise ApiError(409, f"{memory.sentence}; with confirmed=true it is started all the same", "confirmed")
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
) -> RunSummary:
    """Lets a paused run go on; one that was stopped or lost goes on in its place from its newest checkpoint."""
    folder = runs.folder(run_id)
    state = jobs.state(folder).state
    if state == "paused":
        jobs_.send(folder, "resume", state)
    elif state in ("stopped", "failed", "lost"):
        if not runs.checkpoints(run_id):
            raise ApiError(409, f"the run is {state} and has kept no checkpoint to go on from: start it again")
        going_on = RunRequest(overrides=how.overrides if how else {})
        origin = origins.of(settings, inference, folder, folder)
        config = request.compose(going_on.overrides, settings, origin).config
        words = request.words(going_on, settings, origin)
        jobs.enqueue_continuation(folder, words, jobs_.device_of(config.trainer.accelerator))
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


def _name(folder: Path, new: RunRequest) -> None:
    """Calls the new run or sweep in ``folder`` what somebody wants it called."""
    if new.name or new.tags:
        change_notes(folder, name=new.name or "", tags=tuple(new.tags))


def _sweep(runs: Runs, jobs: jobs_.Jobs, folder: Path) -> SweepInfo:
    job = read_json(folder / SWEEP_FILE)
    return SweepInfo(
        id=runs.id_of(folder),
        path=runs.place(folder),
        name=str(runs.notes(folder).get("name") or ""),
        state=jobs.sweep_state(folder),
        command=command_line(job.get("words")) or "",
        runs=[run_id for run_id, run in runs.find().items() if run.parent == folder],
    )
