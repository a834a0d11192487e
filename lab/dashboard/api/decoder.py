"""The decoder in a checkpoint: what it is built of, and one token's way through it."""

import asyncio

from fastapi import APIRouter
from pydantic import Field

from lab.dashboard.api.dependencies import InferenceDep, RunsDep, SettingsDep
from lab.dashboard.api.models import check_prompt
from lab.dashboard.schemas import Model
from lab.dashboard.worker.structure import Structure
from lab.dashboard.worker.walk import Walk, WalkQuestion

router = APIRouter(prefix="/api", tags=["models"])


class Follow(Model):
    """Which token to follow, and where."""

    checkpoint: str = Field(description="The id of a checkpoint.")
    prompt: str = Field(min_length=1)
    layer: int = Field(default=0, ge=0)
    head: int = Field(default=0, ge=0)
    position: int | None = Field(
        default=None, ge=0, description="The place of a token in what the model sees; the last one if there is none."
    )


@router.get("/checkpoints/{checkpoint_id}/structure")
async def structure(runs: RunsDep, inference: InferenceDep, checkpoint_id: str) -> Structure:
    """What the model is built of: its parts, sizes and parameters. Also of one whose code is not here."""
    path = await asyncio.to_thread(runs.checkpoint, checkpoint_id)
    return Structure.model_validate(await inference.ask("structure", path))


@router.post("/inspect/walk")
async def walk(settings: SettingsDep, runs: RunsDep, inference: InferenceDep, what: Follow) -> Walk:
    """One token's way through one layer and head: query, keys, scores, weights, values, and what each part makes of
    them."""
    check_prompt(what.prompt, settings)
    path = await asyncio.to_thread(runs.checkpoint, what.checkpoint)
    question = WalkQuestion(what.prompt, settings.max_inspected, what.layer, what.head, what.position)
    return Walk.model_validate(await inference.ask("walk", path, question=question))
