"""Generation for a page: each token with what the model thought of it."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from lab.dashboard.schemas import Model, Number
from lab.dashboard.worker.inspection import Candidate, PromptToken
from lab.files.strict_json import named
from lab.inference.sampling import Sampling, stream
from lab.inference.text_stream import TextStream
from lab.inference.token_choice import explain_choice
from lab.model import GPTModel
from lab.tokenizer import Tokenizer


class Started(Model):
    """The prompt as the model sees it."""

    type: Literal["start"]
    tokens: list[PromptToken]
    cropped: int = Field(description="Tokens at the beginning that do not fit into the context.")


class Drawn(Model):
    """A token."""

    type: Literal["token"]
    index: int
    id: int
    token: str = Field(description="Its own text; bytes that are no whole character show as U+FFFD.")
    text: str = Field(description="What became certain of the text with it: put together, these are the text.")
    log_prob: Number
    probability: Number = Field(description="Under the model's own distribution, before temperature and the rest.")
    rank: int = Field(description="How many tokens were likelier.")
    entropy: Number = Field(description="In nats.")
    alternatives: list[Candidate]


class Ended(Model):
    """The end."""

    type: Literal["end"]
    reason: Literal["max_tokens", "stop", "end_of_text"]
    rest: str = Field(description="Text that was held back until now.")
    text: str = Field(description="All of it, without the prompt.")
    token_ids: list[int]


class Failed(Model):
    """Something went wrong in the middle."""

    type: Literal["error"]
    message: str


Spoken = Started | Drawn | Ended | Failed


def speak(
    model: GPTModel,
    *,
    prompt: str,
    prefix: list[int],
    max_tokens: int,
    sampling: Sampling,
    seed: int | None,
    alternatives: int,
    stop: list[str],
) -> Iterator[dict[str, Any]]:
    """The events of one generation, as plain values of the models above.

    Raises:
        ValueError: if the prompt is no text, or ``prefix`` has a token that does not exist.
    """
    tokenizer = Tokenizer()
    if any(not 0 <= token < tokenizer.vocab_size for token in prefix):
        raise ValueError(f"prefix: token ids go from 0 to {tokenizer.vocab_size - 1}")
    beginning = [*tokenizer.encode(prompt), *prefix] or [tokenizer.endoftext]
    seen = beginning[-model.config.context_length :]
    tokens = [{"id": token, "text": tokenizer.decode([token])} for token in seen]
    yield {"type": "start", "tokens": tokens, "cropped": len(beginning) - len(seen)}
    text = TextStream(tokenizer, stop)
    drawn = []
    for index, step in enumerate(stream(model, [beginning], max_tokens, sampling, seed=seed)):
        token_id = int(step.token_ids[0])
        drawn.append(token_id)
        choice = explain_choice(step.logits[0], token_id, alternatives)
        yield {
            "type": "token",
            "index": index,
            "id": token_id,
            "token": tokenizer.decode([token_id]),
            "text": text.push(token_id),
            "log_prob": named(choice.log_prob),
            "probability": named(choice.probability),
            "rank": choice.rank,
            "entropy": named(choice.entropy),
            "alternatives": [
                {"id": other, "text": tokenizer.decode([other]), "probability": named(probability)}
                for other, probability in choice.alternatives
            ],
        }
        if text.ended is not None:
            break
    rest = text.finish()
    yield {"type": "end", "reason": text.ended, "rest": rest, "text": text.text, "token_ids": drawn}
