"""Runs against each other: which is better, and is it more than luck?"""

import math
from typing import Annotated

from fastapi import APIRouter, Query

from lab.comparison import sides
from lab.comparison.run_curve import read_run
from lab.comparison.verdict import AT_WORDS, UNITS, Contrast, Measured, contrasts, spent
from lab.dashboard.api.dependencies import RunsDep
from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Comparison, ContrastInfo, MeasuredAt
from lab.errors import LabError
from lab.files.safe_files import readable

router = APIRouter(prefix="/api", tags=["runs"])

_MOST = 64


@router.get("/compare")
def compare_runs(
    runs: RunsDep, ids: Annotated[str, Query(alias="runs", description="The ids of runs, separated by commas.")]
) -> Comparison:
    """What ``lab.compare`` says of these runs; the first one stands in the baseline."""
    wanted = list(dict.fromkeys(one for one in ids.split(",") if one))
    if len(wanted) > _MOST:
        raise ApiError(422, f"these are {len(wanted)} runs, and at most {_MOST} are compared at a time", "runs")
    found = [[read_run(runs.folder(one))] for one in wanted]
    try:
        made = sides.make_sides(found)
    except LabError as error:
        return Comparison(baseline="", seeds=[], contrasts=[], why_none=readable(str(error)))
    told = [_told(contrast) for contrast in contrasts(made)]
    return Comparison(baseline=readable(made[0].label), seeds=made[0].seeds, contrasts=told, why_none=None)


def _told(contrast: Contrast) -> ContrastInfo:
    return ContrastInfo(
        side=readable(contrast.side.label),
        seeds=contrast.side.seeds,
        unit=UNITS[contrast.figure],
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
