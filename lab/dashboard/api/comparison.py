"""Runs against each other: which is better, and is it more than luck?"""

import math
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from lab.comparison import sides
from lab.comparison.run_curve import Run, read_run
from lab.comparison.verdict import AT_WORDS, UNITS, At, Contrast, Measured, contrasts, spent
from lab.dashboard.api.dependencies import RunsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Comparison, ContrastInfo, MeasuredAt, SideInfo
from lab.errors import LabError
from lab.files.safe_files import readable

router = APIRouter(prefix="/api", tags=["runs"])

_MOST = 64


@router.get("/compare")
def compare_runs(
    runs: RunsDep,
    ids: Annotated[str, Query(alias="runs", description="The ids of runs, separated by commas.")],
    by: Annotated[At, Query(description="What is held equal for the verdict.")] = "tokens",
) -> Comparison:
    """What ``lab.compare`` says of these runs; the first one stands in the baseline."""
    wanted = list(dict.fromkeys(one for one in ids.split(",") if one))
    if len(wanted) > _MOST:
        raise ApiError(422, f"these are {len(wanted)} runs, and at most {_MOST} are compared at a time", "runs")
    found = {one: read_run(runs.folder(one)) for one in wanted}
    try:
        made = sides.make_sides([[run] for run in found.values()])
    except LabError as error:
        told = readable(str(error))
        return Comparison(baseline="", seeds=[], sides=_sides(found, []), contrasts=[], why_none=told)
    return Comparison(
        baseline=readable(made[0].label),
        seeds=made[0].seeds,
        sides=_sides(found, made),
        contrasts=[_told(contrast) for contrast in contrasts(made, by)],
        why_none=None,
    )


def _sides(found: dict[str, Run], made: Sequence[sides.Side]) -> list[SideInfo]:
    """All runs, those that have evaluated nothing beside those that they are like."""
    ids = {run.folder: one for one, run in found.items()}
    names = {run.folder: side.name for side in made for run in side.runs}
    told = []
    for runs in sides.grouped(found.values()):
        known = list(dict.fromkeys(names[run.folder] for run in runs if run.folder in names)) or [""]
        for name in known:
            members = [ids[run.folder] for run in runs if names.get(run.folder, known[0]) == name]
            told.append(SideInfo(name=name, runs=members))
    return told


def _told(contrast: Contrast) -> ContrastInfo:
    return ContrastInfo(
        side=readable(contrast.side.label),
        name=contrast.side.name,
        seeds=contrast.side.seeds,
        unit=UNITS[contrast.figure],
        by=contrast.by,
        verdict=contrast.verdict,
        sentence=readable(contrast.sentence),
        notes=[readable(note) for note in contrast.notes],
        measured=[_measured(found) for found in contrast.measured],
    )


def _measured(found: Measured) -> MeasuredAt:
    return MeasuredAt(
        at=found.at,
        where=AT_WORDS[found.at],
        spent=None if found.budget is None else spent(found.at, found.budget),
        baseline=math.fsum(found.baseline) / len(found.baseline),
        side=math.fsum(found.side) / len(found.side),
        difference=found.difference.mean,
        low=found.difference.low,
        high=found.difference.high,
        outcome=found.outcome,
    )
