"""A run: what it is, and what happened to it."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ValidationError

from lab.dashboard.api.dependencies import CatalogueDep, JobsDep, RunsDep, SettingsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import of_run
from lab.dashboard.options.command_line import command_line
from lab.dashboard.schemas import (
    CheckpointInfo,
    Distributions,
    Events,
    Exported,
    Log,
    Metrics,
    RunChange,
    RunDetail,
    RunSummary,
    Sample,
    Series,
    StepProfile,
)
from lab.dashboard.store import inside_root
from lab.dashboard.store.downsample import downsample
from lab.dashboard.store.run_folders import JOB_FILE, Checkpoint
from lab.dashboard.trainings import actions, command, step_profile
from lab.dashboard.trainings import processes as jobs_
from lab.dashboard.trainings.summaries import summarize
from lab.files import atomic
from lab.files.run_files import LOG_FILE
from lab.files.safe_files import opened, read_json
from lab.runs import distributions
from lab.runs.folder import run_folder_of
from lab.runs.notes import change_notes
from lab.runs.results import checked

router = APIRouter(prefix="/api", tags=["runs"])


@router.get("/runs/{run_id}")
def get_run(runs: RunsDep, jobs: JobsDep, run_id: str) -> RunDetail:
    """One run."""
    folder = runs.folder(run_id)
    summary = summarize(runs, jobs, folder)
    results = runs.results(folder)
    with runs.tails.lock:
        names = sorted(runs.tails.get(folder).curves)
    return RunDetail(
        **summary.model_dump(),
        metrics=names,
        command=command_line(read_json(folder / JOB_FILE).get("words")),
        results=results or None,
        log_tail=jobs_.log_tail(folder, 4096) if summary.state in ("failed", "lost") else None,
        versions=checked(results).versions,
    )


@router.patch("/runs/{run_id}")
def change_run(runs: RunsDep, catalogue: CatalogueDep, run_id: str, change: RunChange) -> RunSummary:
    """Gives a run a name, tags or a note; what is left out stays."""
    folder = runs.folder(run_id)
    change_notes(folder, **change.model_dump(exclude_none=True))
    return catalogue.refresh(folder)


@router.delete("/runs/{run_id}", status_code=204)
def delete_run(runs: RunsDep, jobs: JobsDep, run_id: str) -> Response:
    """Deletes the folder of a run that no process stands behind, with everything in it."""
    folder = runs.folder(run_id)
    state = jobs.state(folder).state
    if state == "queued" and jobs.cancel(folder):
        state = "stopped"
    actions.check("delete", actions.standing(runs, state, folder))
    if folder in jobs.busy():
        raise ApiError(409, f"the run is {state}, and its process is not gone yet: try again in a moment")
    atomic.remove_folder(folder)
    return Response(status_code=204)


@router.get("/runs/{run_id}/metrics")
def get_metrics(
    runs: RunsDep,
    settings: SettingsDep,
    run_id: str,
    names: Annotated[str | None, Query(description="Curves, separated by commas; all of them if left out.")] = None,
    points: Annotated[int, Query(ge=10, description="The most points of a curve.")] = 1000,
) -> Metrics:
    """Curves, thinned so that the lowest and the highest point of each stretch stay: no spike is lost."""
    folder = runs.folder(run_id)
    most = min(points, settings.max_points)
    with runs.tails.lock:
        tail = runs.tails.get(folder)
        wanted = [name for name in names.split(",") if name] if names is not None else sorted(tail.curves)
        found = {name: tail.points(name) for name in wanted if name in tail.curves}
        seq = tail.seq
    series = {}
    for name, (steps, values, times) in found.items():
        kept = downsample(values, most)
        series[name] = Series(
            steps=steps[kept].tolist(), values=values[kept].tolist(), times=times[kept].tolist(), total=len(values)
        )
    return Metrics(run=run_id, seq=seq, series=series)


@router.get("/runs/{run_id}/events")
def get_events(
    runs: RunsDep,
    settings: SettingsDep,
    run_id: str,
    after: Annotated[int, Query(ge=-1, description="The number of the last event that is known.")] = -1,
    limit: Annotated[int, Query(ge=1)] = 500,
    notes: Annotated[bool, Query(description="Only samples, states, checkpoints and alerts: no metrics.")] = False,
) -> Events:
    """What the run has logged, in order, as it stands in its log."""
    folder = runs.folder(run_id)
    with runs.tails.lock:
        tail = runs.tails.get(folder)
        most = min(limit, settings.max_events)
        if notes:  # found without reading a long log once more
            noted = [event for event in tail.others if event["seq"] > after]
            last = noted[most - 1]["seq"] if len(noted) > most else max(after, tail.seq)
            told = [dict(event) for event in noted[:most]]
            return Events(run=run_id, events=told, last=last, more=len(noted) > most)
        lines = tail.after(after, most)
        last = lines[-1].seq if lines else max(after, tail.seq)
        return Events(run=run_id, events=[json.loads(line.text) for line in lines], last=last, more=last < tail.seq)


@router.get("/runs/{run_id}/log")
def get_log(
    runs: RunsDep,
    settings: SettingsDep,
    run_id: str,
    after: Annotated[int | None, Query(ge=0, description="From which byte on; the end of the log if left out.")] = None,
) -> Log:
    """What the training has printed. Only of runs that this server has started."""
    folder, most = runs.folder(run_id), settings.max_log
    try:
        with opened(folder / LOG_FILE) as file:
            size = file.seek(0, 2)
            start = max(0, size - most) if after is None else min(after, size)
            file.seek(start)
            data = file.read(most)
    except OSError:
        return Log(text="", start=0, end=0)
    return Log(text=data.decode("utf-8", "replace"), start=start, end=start + len(data))


@router.get("/runs/{run_id}/config")
def get_config(runs: RunsDep, run_id: str) -> dict[str, Any]:
    """Every option of the run, resolved."""
    return runs.config(runs.folder(run_id))


@router.get("/runs/{run_id}/samples")
def get_samples(runs: RunsDep, run_id: str) -> list[Sample]:
    """What the model wrote at its evaluations, the first one first."""
    folder = runs.folder(run_id)
    with runs.tails.lock:
        told = [event for event in runs.tails.get(folder).others if event["kind"] == "sample"]
    return [Sample(step=e["step"], text=e["text"], time=e.get("time", 0.0)) for e in told]


@router.get("/runs/{run_id}/distributions")
def get_distributions(runs: RunsDep, run_id: str) -> Distributions:
    """How large the run's weights and gradients were, evaluation by evaluation."""
    return Distributions.model_validate(
        {"lowest_exponent": distributions.LOWEST_EXPONENT, "moments": distributions.read(runs.folder(run_id))}
    )


@router.get("/runs/{run_id}/profile")
def get_profile(runs: RunsDep, run_id: str) -> StepProfile | None:
    """Where the time of the run's steps went when it was measured last; null if it never was."""
    try:
        return StepProfile.model_validate(step_profile.read(runs.folder(run_id)))
    except ValidationError:
        return None


@router.post("/runs/{run_id}/profile")
def measure_profile(settings: SettingsDep, runs: RunsDep, run_id: str) -> StepProfile:
    """Takes a few steps with the run's options, on this machine as it is now, and keeps what they took."""
    folder = runs.folder(run_id)
    return StepProfile.model_validate(
        step_profile.measure(folder, of_run.checked_words(runs.config(folder), settings), settings)
    )


@router.get("/runs/{run_id}/checkpoints")
def get_checkpoints(runs: RunsDep, run_id: str) -> list[CheckpointInfo]:
    """The checkpoints of a run, by step."""
    return _told(run_id, runs.checkpoints(run_id))


@router.get("/checkpoints")
def list_checkpoints(runs: RunsDep) -> list[CheckpointInfo]:
    """The checkpoints of all runs."""
    return [info for run_id in runs.find() for info in _told(run_id, runs.checkpoints(run_id))]


@router.post("/checkpoints/{checkpoint_id}/export", status_code=201)
def export_checkpoint(runs: RunsDep, checkpoint_id: str) -> Exported:
    """Writes a checkpoint as a folder that Hugging Face transformers opens, into the folder of its run."""
    path = runs.checkpoint(checkpoint_id)
    folder = run_folder_of(path, follow_links=False)
    target = folder / "exports" / path.stem
    inside_root.refuse_links_to(target, folder)
    if target.exists():
        raise ApiError(409, f"it is exported already, to {runs.place(target)}")
    words = [f"checkpoint={path}", f"to={target}"]
    command.output_of("lab.export", words, runs.root, failed="the export failed")
    return Exported(path=runs.place(target))


@router.delete("/checkpoints/{checkpoint_id}", status_code=204)
def delete_checkpoint(runs: RunsDep, catalogue: CatalogueDep, checkpoint_id: str) -> Response:
    """Deletes a checkpoint file."""
    folder = run_folder_of(runs.checkpoint(checkpoint_id), follow_links=False)
    runs.remove_checkpoint(checkpoint_id)
    catalogue.refresh(folder)  # less can be done with the run now
    return Response(status_code=204)


def _told(run_id: str, found: list[Checkpoint]) -> list[CheckpointInfo]:
    """Those of a run; of one file by several names, which is the first."""
    first: dict[tuple[int, int], str] = {}
    return [
        CheckpointInfo(
            id=one.id,
            run=run_id,
            name=one.name,
            step=one.step,
            bytes=one.size,
            same_as=None if first.setdefault(one.file, one.id) == one.id else first[one.file],
            modified=one.modified,
            weights_only=one.weights_only,
        )
        for one in found
    ]
