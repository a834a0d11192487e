"""Is the server well? The one question that needs no token."""

import torch
from fastapi import APIRouter, Request

import lab
from lab.dashboard.api.dependencies import InferenceDep, SettingsDep
from lab.dashboard.api.security import token_in
from lab.dashboard.schemas import Health
from lab.system import device as devices

router = APIRouter(prefix="/api", tags=["server"])


@router.get("/health")
def health(request: Request, settings: SettingsDep, inference: InferenceDep) -> Health:
    """That it answers, what it is, what trainings run on, and whether who asks would be let in."""
    chosen = devices.choose()
    name = torch.cuda.get_device_name() if chosen == "gpu" else chosen
    token = token_in(request.headers, settings)
    return Health(status="ok", version=lab.__version__, device=name, worker=inference.alive, token=token)
