"""What routes are given (FastAPI's ``Depends``): the parts of the server, as ``lab.dashboard.app`` puts them together.

@router.get("/runs")
def list_runs(runs: RunsDep) -> list[RunSummary]: ...
"""

from typing import Annotated

from fastapi import Depends, Request

from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.trainings.processes import Jobs
from lab.dashboard.worker.client import Inference

# Coroutines: FastAPI would look up an attribute in a thread of its own otherwise.


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


async def _runs(request: Request) -> Runs:
    found: Runs = request.app.state.runs
    return found


async def _jobs(request: Request) -> Jobs:
    found: Jobs = request.app.state.jobs
    return found


async def _catalogue(request: Request) -> Catalogue:
    found: Catalogue = request.app.state.catalogue
    return found


async def _inference(request: Request) -> Inference:
    found: Inference = request.app.state.inference
    return found


SettingsDep = Annotated[Settings, Depends(_settings)]
"""The settings of the server."""
RunsDep = Annotated[Runs, Depends(_runs)]
"""The run folders."""
JobsDep = Annotated[Jobs, Depends(_jobs)]
"""The trainings."""
CatalogueDep = Annotated[Catalogue, Depends(_catalogue)]
"""All runs in a line each."""
InferenceDep = Annotated[Inference, Depends(_inference)]
"""The process that runs models."""
