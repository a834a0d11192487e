"""Models in use: they write, and show what goes on inside them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from lab.dashboard.api.runs import runs_of, settings_of
from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Model
from lab.dashboard.worker.client import Inference
from lab.dashboard.worker.generation import Spoken
from lab.dashboard.worker.inspection import (
    MOST_NUMBERS,
    Ablation,
    ActivationsView,
    Attention,
    LogitLens,
    Neighbors,
    TokenLoss,
    View,
    ViewName,
)
from lab.files import strict_json
from lab.inference.sampling import Sampling

router = APIRouter(prefix="/api", tags=["models"])


class Generate(Model):
    """What to write, and how."""

    checkpoint: str = Field(description="The id of a checkpoint.")
    prompt: str = ""
    prefix: list[int] = Field(
        default_factory=list, max_length=4096, description="Token ids between the prompt and what is written."
    )
    max_tokens: int = Field(default=100, ge=1)
    temperature: float = Field(default=0.8, ge=0, allow_inf_nan=False)
    top_k: int | None = Field(default=50, ge=1)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**32)
    alternatives: int = Field(
        default=8, ge=0, le=50, description="How many of the likeliest tokens to tell at each place."
    )
    stop: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(default_factory=list, max_length=8)


class Inspect(Model):
    """What to look at."""

    checkpoint: str = Field(description="The id of a checkpoint.")
    prompt: str = Field(min_length=1)
    top_k: int = Field(default=5, ge=1, le=50)
    layer: int | None = Field(default=None, ge=0, description="For attention: this layer only.")
    head: int | None = Field(default=None, ge=0, description="For attention: this head only.")


class InspectTimeline(Model):
    """What to look at through all checkpoints of a run."""

    run: str
    view: ViewName
    prompt: str = Field(min_length=1)
    top_k: int = Field(default=5, ge=1, le=50)
    layer: int | None = Field(default=None, ge=0)
    head: int | None = Field(default=None, ge=0)
    frames: int = Field(default=24, ge=1, description="The most checkpoints to look at.")


class Frame(Model):
    """A moment of the run."""

    checkpoint: str
    name: str
    step: int | None
    result: View


class Timeline(Model):
    """One prompt through the checkpoints of a run, by step."""

    run: str
    frames: list[Frame]


def _inference(request: Request) -> Inference:
    found: Inference = request.app.state.inference
    return found


@router.post("/generate", response_class=StreamingResponse, responses={200: {"model": Spoken}})
async def generate(request: Request, how: Generate) -> StreamingResponse:
    """Continues a text. Answers with server-sent events, each one JSON with a ``type``: start, token ..., end or error.
    To close the connection stops the writing."""
    settings = settings_of(request)
    _check_prompt(how.prompt, request)
    if how.max_tokens > settings.max_new_tokens:
        raise ApiError(422, f"max_tokens={how.max_tokens}: {settings.max_new_tokens} are the most", "max_tokens")
    path = await asyncio.to_thread(runs_of(request).checkpoint, how.checkpoint)
    spoken = _inference(request).stream(
        "generate",
        path,
        prompt=how.prompt,
        prefix=how.prefix,
        max_tokens=how.max_tokens,
        sampling=Sampling(how.temperature, how.top_k, how.top_p),
        seed=how.seed,
        alternatives=how.alternatives,
        stop=how.stop,
    )
    # The first word is waited for here, so that what makes no sense is an error and not a stream.
    first = await anext(spoken)

    async def events() -> AsyncIterator[str]:
        try:
            yield _event(first)
            async for word in spoken:
                yield _event(word)
        except ApiError as error:
            yield _event({"type": "error", "message": error.message})
        finally:
            await spoken.aclose()  # type: ignore[attr-defined]

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _event(word: dict[str, Any]) -> str:
    return f"data: {strict_json.dumps(word)}\n\n"


@router.post("/inspect/attention")
async def attention(request: Request, what: Inspect) -> Attention:
    """Where each position looks, head by head."""
    return Attention.model_validate(await _inspect(request, "attention", what))


@router.post("/inspect/activations")
async def activations(request: Request, what: Inspect) -> ActivationsView:
    """How large the numbers are on their way through the model."""
    return ActivationsView.model_validate(await _inspect(request, "activations", what))


@router.post("/inspect/logit-lens")
async def logit_lens(request: Request, what: Inspect) -> LogitLens:
    """What each layer would predict if it were the last."""
    return LogitLens.model_validate(await _inspect(request, "logit-lens", what))


@router.post("/inspect/token-loss")
async def token_loss(request: Request, what: Inspect) -> TokenLoss:
    """How surprised the model is by each token, and what it expected."""
    return TokenLoss.model_validate(await _inspect(request, "token-loss", what))


@router.post("/inspect/neighbors")
async def neighbors(request: Request, what: Inspect) -> Neighbors:
    """Which tokens have embeddings close to those of the prompt."""
    return Neighbors.model_validate(await _inspect(request, "neighbors", what))


@router.post("/inspect/ablate")
async def ablate(request: Request, what: Inspect) -> Ablation:
    """How much worse the model gets without each head."""
    return Ablation.model_validate(await _inspect(request, "ablate", what))


@router.post("/inspect/timeline")
async def timeline(request: Request, what: InspectTimeline) -> Timeline:
    """One prompt through the checkpoints of a run."""
    _check_prompt(what.prompt, request)
    runs = runs_of(request)
    found = await asyncio.to_thread(runs.checkpoints, what.run)
    # best.ckpt and last.ckpt are often the same moments as others: one frame for each step.
    by_step = {one.step if one.step is not None else one.id: one for one in found}
    chosen = list(by_step.values())
    most = min(what.frames, settings_of(request).max_timeline)
    if len(chosen) > most:
        # Evenly, with the first and the last among them.
        places = {round(i * (len(chosen) - 1) / max(1, most - 1)) for i in range(most)}
        chosen = [one for place, one in enumerate(chosen) if place in places]
    frames = []
    numbers = 0
    for one in chosen:
        result = await _ask(request, what.view, one.path, what)
        if what.view == "attention":
            numbers += sum(len(head["weights"]) ** 2 for head in result["heads"])
            if numbers > MOST_NUMBERS:
                raise ApiError(
                    422, "these are too many attention maps for one answer: choose a layer and a head", "head"
                )
        frames.append(Frame(checkpoint=one.id, name=one.name, step=one.step, result=result))
    return Timeline(run=what.run, frames=frames)


async def _inspect(request: Request, view: ViewName, what: Inspect) -> dict[str, Any]:
    _check_prompt(what.prompt, request)
    path = await asyncio.to_thread(runs_of(request).checkpoint, what.checkpoint)
    found: dict[str, Any] = await _ask(request, view, path, what)
    return found


async def _ask(request: Request, view: ViewName, path: Path, what: Inspect | InspectTimeline) -> Any:
    settings = settings_of(request)
    return await _inference(request).ask(
        view,
        path,
        prompt=what.prompt,
        top_k=what.top_k,
        most_tokens=settings.max_inspected,
        layer=what.layer,
        head=what.head,
    )


def _check_prompt(prompt: str, request: Request) -> None:
    most = settings_of(request).max_prompt
    if len(prompt) > most:
        raise ApiError(413, f"the prompt has {len(prompt):,} characters, and {most:,} are the most", "prompt")
