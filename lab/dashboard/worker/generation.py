"""Generation for a page: each token with what the model thought of it."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field
from torch import Tensor

from lab.dashboard.schemas import Model, Number
from lab.dashboard.worker.inspection import Candidate, PromptToken
from lab.inference.generation import SamplingOptions, encode_prompt, stream_events, to_plain
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer


class StartEvent(Model):
    """The prompt as the model sees it."""

    type: Literal["start"]
    tokens: list[PromptToken]
    cropped: int = Field(description="Tokens at the beginning that do not fit into the context.")
    n_drawable: int | None = Field(
        description="Tokens that can be drawn, those of its training text; None: all of the vocabulary."
    )


class TokenEvent(Model):
    """A token."""

    type: Literal["token"]
    index: int
    token_id: int
    token: str = Field(description="Its own text; bytes that are no whole character show as U+FFFD.")
    text: str = Field(description="What became certain of the text with it: put together, these are the text.")
    log_prob: Number
    probability: Number = Field(description="Under the model's own distribution, before temperature and the rest.")
    rank: int = Field(description="How many tokens were likelier.")
    entropy: Number = Field(description="In nats.")
    alternatives: list[Candidate]


class EndEvent(Model):
    """The end."""

    type: Literal["end"]
    reason: Literal["max_tokens", "stop", "end_of_text"]
    rest: str = Field(description="Text that was held back until now.")
    text: str = Field(description="All of it, without the prompt.")
    token_ids: list[int]


class ErrorEvent(Model):
    """Something went wrong in the middle."""

    type: Literal["error"]
    message: str


GenerationEvent = StartEvent | TokenEvent | EndEvent | ErrorEvent


def generate(
    model: GPTModel,
    tokenizer: TextTokenizer,
    among: Tensor | None,
    *,
    prompt: str,
    prefix: list[int],
    options: SamplingOptions,
    all_tokens: bool = False,
) -> Iterator[dict[str, Any]]:
    """The events of one generation, as plain values of the models above; ``prefix`` are token ids behind the prompt,
    ``among`` as in ``stream_events``, unless it is to be of ``all_tokens``.

    Raises:
        ValueError: if the prompt is no text, ``prefix`` has a token that does not exist, or the weights are damaged.
    """
    prompt_ids = encode_prompt(tokenizer, prompt, prefix)
    for event in stream_events(model, tokenizer, prompt_ids, options, None if all_tokens else among):
        # The page asks for one sample, which needs no number.
        yield {name: value for name, value in to_plain(event).items() if name != "sample"}
