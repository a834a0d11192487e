"""Is the server well? The one question that needs no token."""

import torch
from fastapi import APIRouter, Request

import lab
from lab.dashboard.schemas import Health

router = APIRouter(prefix="/api", tags=["server"])


@router.get("/health")
def health(request: Request) -> Health:
    """That it answers, what it is, and what trainings run on."""
    device = "mps" if torch.backends.mps.is_available() else "cpu"
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    return Health(status="ok", version=lab.__version__, device=device, worker=request.app.state.inference.alive)
