"""Models in use: they write, and show what goes on inside them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from lab.dashboard.api.dependencies import InferenceDep, RunsDep, SettingsDep
from lab.dashboard.api.gpt2 import model_path
from lab.dashboard.api.listening import while_heard
from lab.dashboard.http_errors import ApiError
from lab.dashboard.schemas import Model
from lab.dashboard.settings import Settings
from lab.dashboard.worker.client import Inference
from lab.dashboard.worker.generation import GenerationEvent
from lab.dashboard.worker.inspection import (
    MOST_NUMBERS,
    Ablation,
    ActivationsView,
    Attention,
    EmbeddingMapView,
    LogitLens,
    Neighbors,
    Question,
    TokenLoss,
    View,
    ViewName,
)
from lab.files import strict_json
from lab.inference.generation import SamplingOptions

router = APIRouter(prefix="/api", tags=["models"])


class Generate(Model):
    """What to write, and how."""

    checkpoint: str = Field(description="The id of a checkpoint, or gpt2.")
    prompt: str = ""
    prefix: list[int] = Field(
        default_factory=list, max_length=4096, description="Token ids between the prompt and what is written."
    )
    max_tokens: int = Field(default=SamplingOptions.max_tokens, ge=1)
    temperature: float = Field(default=SamplingOptions.temperature, ge=0, allow_inf_nan=False)
    top_k: int | None = Field(default=SamplingOptions.top_k, ge=1)
    top_p: float | None = Field(default=SamplingOptions.top_p, gt=0, le=1)
    seed: int | None = Field(default=SamplingOptions.seed, ge=0, lt=2**32)
    alternatives: int = Field(
        default=8, ge=0, le=50, description="How many of the likeliest tokens to tell at each place."
    )
    stop: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(default_factory=list, max_length=8)
    all_tokens: bool = Field(
        default=False, description="Draws also from tokens that the training text of a checkpoint does not have."
    )

    def sampling_options(self) -> SamplingOptions:
        """What of it the generation loop has to know."""
        return SamplingOptions(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            seed=self.seed,
            stop=tuple(self.stop),
            alternatives=self.alternatives,
        )


class Inspect(Model):
    """What to look at."""

    checkpoint: str = Field(description="The id of a checkpoint, or gpt2.")
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


Answers = Callable[[ViewName], Awaitable[dict[str, Any]]]
"""The answer to a question about a model, as plain values, by view."""


@router.post("/generate", response_class=StreamingResponse, responses={200: {"model": GenerationEvent}})
async def generate(
    request: Request, settings: SettingsDep, runs: RunsDep, inference: InferenceDep, how: Generate
) -> StreamingResponse:
    """Continues a text. Answers with server-sent events, each one JSON with a ``type``: start, token ..., end or error.
    To close the connection stops the writing."""
    check_prompt(how.prompt, settings)
    if how.max_tokens > settings.max_new_tokens:
        raise ApiError(422, f"max_tokens={how.max_tokens}: {settings.max_new_tokens} are the most", "max_tokens")
    path = await asyncio.to_thread(model_path, runs, how.checkpoint)
    options = how.sampling_options()
    asked = {"prompt": how.prompt, "prefix": how.prefix, "options": options, "all_tokens": how.all_tokens}
    generated = inference.stream("generate", path, **asked)
    # The first event is waited for here, so that what makes no sense is an error and not a stream.
    first = await while_heard(request, _first(generated))

    async def events() -> AsyncIterator[str]:
        try:
            yield _event(first)
            async for event in generated:
                yield _event(event)
        except ApiError as error:
            yield _event({"type": "error", "message": error.message})
        finally:
            await generated.aclose()  # type: ignore[attr-defined]

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _first(generated: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    return await anext(generated)


def _event(event: dict[str, Any]) -> str:
    return f"data: {strict_json.dumps(event)}\n\n"


async def _answers(
    request: Request, settings: SettingsDep, runs: RunsDep, inference: InferenceDep, what: Inspect
) -> Answers:
    """How the model sees the prompt in the request's body, view by view."""

    async def answer(view: ViewName) -> dict[str, Any]:
        check_prompt(what.prompt, settings)
        path = await asyncio.to_thread(model_path, runs, what.checkpoint)
        found: dict[str, Any] = await while_heard(request, _ask(settings, inference, view, path, what))
        return found

    return answer


AnswerDep = Annotated[Answers, Depends(_answers)]


@router.post("/inspect/attention")
async def attention(answer: AnswerDep) -> Attention:
    """Where each position looks, head by head."""
    return Attention.model_validate(await answer("attention"))


@router.post("/inspect/activations")
async def activations(answer: AnswerDep) -> ActivationsView:
    """How large the numbers are on their way through the model."""
    return ActivationsView.model_validate(await answer("activations"))


@router.post("/inspect/logit-lens")
async def logit_lens(answer: AnswerDep) -> LogitLens:
    """What each layer would predict if it were the last."""
    return LogitLens.model_validate(await answer("logit-lens"))


@router.post("/inspect/token-loss")
async def token_loss(answer: AnswerDep) -> TokenLoss:
    """How surprised the model is by each token, and what it expected."""
    return TokenLoss.model_validate(await answer("token-loss"))


@router.post("/inspect/neighbors")
async def neighbors(answer: AnswerDep) -> Neighbors:
    """Which tokens have embeddings close to those of the prompt."""
    return Neighbors.model_validate(await answer("neighbors"))


@router.post("/inspect/embedding-map")
async def map_of_embeddings(answer: AnswerDep) -> EmbeddingMapView:
    """The embeddings of the prompt's tokens, and of common ones, on a plane."""
    return EmbeddingMapView.model_validate(await answer("embedding-map"))


@router.post("/inspect/ablate")
async def ablate(answer: AnswerDep) -> Ablation:
    """How much worse the model gets without each head."""
    return Ablation.model_validate(await answer("ablate"))


@router.post("/inspect/timeline")
async def timeline(
    request: Request, settings: SettingsDep, runs: RunsDep, inference: InferenceDep, what: InspectTimeline
) -> Timeline:
    """One prompt through the checkpoints of a run."""
    check_prompt(what.prompt, settings)
    found = await asyncio.to_thread(runs.checkpoints, what.run)
    # best.ckpt and last.ckpt are often the same moments as others: one frame for each step.
    by_step = {one.step if one.step is not None else one.id: one for one in found}
    chosen = list(by_step.values())
    most = min(what.frames, settings.max_timeline)
    if len(chosen) > most:
        # Evenly, with the first and the last among them.
        places = {round(i * (len(chosen) - 1) / max(1, most - 1)) for i in range(most)}
        chosen = [one for place, one in enumerate(chosen) if place in places]
    frames = []
    numbers = 0
    for one in chosen:
        result = await while_heard(request, _ask(settings, inference, what.view, one.path, what))
        if what.view == "attention":
            numbers += sum(len(head["weights"]) ** 2 for head in result["heads"])
            if numbers > MOST_NUMBERS:
                raise ApiError(
                    422, "these are too many attention maps for one answer: choose a layer and a head", "head"
                )
        frames.append(Frame(checkpoint=one.id, name=one.name, step=one.step, result=result))
    return Timeline(run=what.run, frames=frames)


async def _ask(
    settings: Settings, inference: Inference, view: ViewName, path: Path, what: Inspect | InspectTimeline
) -> Any:
    return await inference.ask(
        view,
        path,
        question=Question(what.prompt, what.top_k, settings.max_inspected, what.layer, what.head),
    )


def check_prompt(prompt: str, settings: Settings) -> None:
    """
    Raises:
        ApiError: if the prompt is longer than this server reads.
    """
    most = settings.max_prompt
    if len(prompt) > most:
        raise ApiError(413, f"the prompt has {len(prompt):,} characters, and {most:,} are the most", "prompt")
