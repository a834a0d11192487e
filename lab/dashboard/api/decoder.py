"""The decoder in a checkpoint: what it is built of, one token's way through it, and what it writes without a part."""

import asyncio

from fastapi import APIRouter, Request
from pydantic import Field

from lab.dashboard.api.dependencies import InferenceDep, RunsDep, SettingsDep
from lab.dashboard.api.gpt2 import model_path
from lab.dashboard.api.listening import while_heard
from lab.dashboard.api.models import check_prompt
from lab.dashboard.schemas import Model
from lab.dashboard.worker.ablation import MOST_TOKENS, AblationQuestion, WithAndWithout
from lab.dashboard.worker.structure import Structure
from lab.dashboard.worker.walk import Walk, WalkQuestion
from lab.inference.generation import SamplingOptions

router = APIRouter(prefix="/api", tags=["models"])


class Follow(Model):
    """Which token to follow, and where."""

    checkpoint: str = Field(description="The id of a checkpoint, or gpt2.")
    prompt: str = Field(min_length=1)
    layer: int = Field(default=0, ge=0)
    head: int = Field(default=0, ge=0)
    position: int | None = Field(
        default=None, ge=0, description="The place of a token in what the model sees; the last one if there is none."
    )


class SwitchOff(Model):
    """What to switch off, and how the prompt is to go on."""

    checkpoint: str = Field(description="The id of a checkpoint, or gpt2.")
    prompt: str = Field(min_length=1)
    layer: int = Field(ge=0)
    head: int | None = Field(default=None, ge=0, description="None: the whole layer.")
    max_tokens: int = Field(default=40, ge=1, le=MOST_TOKENS)
    temperature: float = Field(default=0, ge=0, allow_inf_nan=False, description="0: always the likeliest token.")
    seed: int = Field(default=1, ge=0, lt=2**32, description="Both texts draw with the same random numbers.")


@router.get("/checkpoints/{checkpoint_id}/structure")
async def structure(request: Request, runs: RunsDep, inference: InferenceDep, checkpoint_id: str) -> Structure:
    """What the model is built of: its parts, sizes and parameters. Also of one whose code is not here."""
    path = await asyncio.to_thread(model_path, runs, checkpoint_id)
    return Structure.model_validate(await while_heard(request, inference.ask("structure", path)))


@router.post("/inspect/walk")
async def walk(request: Request, settings: SettingsDep, runs: RunsDep, inference: InferenceDep, what: Follow) -> Walk:
    """One token's way through one layer and head: query, keys, scores, weights, values, and what each part makes of
    them."""
    check_prompt(what.prompt, settings)
    path = await asyncio.to_thread(model_path, runs, what.checkpoint)
    question = WalkQuestion(what.prompt, settings.max_inspected, what.layer, what.head, what.position)
    return Walk.model_validate(await while_heard(request, inference.ask("walk", path, question=question)))


@router.post("/inspect/without")
async def without(
    request: Request, settings: SettingsDep, runs: RunsDep, inference: InferenceDep, what: SwitchOff
) -> WithAndWithout:
    """The prompt, continued with and without a head, or a whole layer."""
    check_prompt(what.prompt, settings)
    path = await asyncio.to_thread(model_path, runs, what.checkpoint)
    options = SamplingOptions(max_tokens=what.max_tokens, temperature=what.temperature, top_k=None, seed=what.seed)
    question = AblationQuestion(what.prompt, settings.max_inspected, what.layer, what.head, options)
    answer = inference.ask("without", path, question=question)
    return WithAndWithout.model_validate(await while_heard(request, answer))
