"""Is the server well? The one question that needs no token."""

import torch
from fastapi import APIRouter

import lab
from lab.dashboard.api.dependencies import InferenceDep
from lab.dashboard.schemas import Health
from lab.system import device as devices

router = APIRouter(prefix="/api", tags=["server"])


@router.get("/health")
def health(inference: InferenceDep) -> Health:
    """That it answers, what it is, and what trainings run on."""
    chosen = devices.choose()
    name = torch.cuda.get_device_name() if chosen == "gpu" else chosen
    return Health(status="ok", version=lab.__version__, device=name, worker=inference.alive)
