"""The generation loop: from a prompt to events, one for each token. The terminal prints them, the dashboard sends them.

ids = encode_prompt(tokenizer, "The fox")
for event in stream_events(model, tokenizer, ids, SamplingOptions(max_tokens=20)):
    ...  # a StartEvent, a TokenEvent for each token, an EndEvent for each sample
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from torch import Tensor

from lab.inference.sampling import Sampling, stream
from lab.inference.text_stream import TextStream
from lab.inference.token_choice import TokenChoice, explain_choice
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer, token_text


@dataclass(frozen=True)
class SamplingOptions:
    """How a prompt is continued: how far, how each token is drawn, and what is told of it."""

    max_tokens: int = 100
    """Tokens to add to each sample; at least 0."""
    temperature: float = 0.8
    """What the logits are divided by, without a unit; at least 0, where 0 always takes the likeliest token."""
    top_k: int | None = 50
    """Only this many of the likeliest tokens can be drawn; at least 1; None: all."""
    top_p: float | None = None
    """Only the fewest tokens that together have this probability can be drawn; above 0, at most 1; None: all."""
    seed: int | None = None
    """0 to 2**32 - 1; sample r draws with ``seed + r``; None: new random numbers each time."""
    stop: tuple[str, ...] = ()
    """Texts that end a sample where they begin; empty ones are ignored."""
    alternatives: int | None = None
    """How many of the likeliest tokens are told at each place; at least 0; None: only the token is told, without its
    probability, which saves a softmax over the vocabulary."""
    num_samples: int = 1
    """Continuations, made together as one batch; at least 1."""

    @property
    def sampling(self) -> Sampling:
        """The distribution that tokens are drawn from."""
        return Sampling(self.temperature, self.top_k, self.top_p)


@dataclass(frozen=True)
class PromptToken:
    """A token of the prompt."""

    token_id: int
    text: str
    """Its own text; bytes that are no whole character show as U+FFFD."""


@dataclass(frozen=True)
class StartEvent:
    """The prompt as the model sees it: the first event."""

    type: Literal["start"] = field(default="start", init=False)
    tokens: list[PromptToken]
    cropped: int
    """Tokens at the beginning of the prompt that do not fit into the context."""
    n_drawable: int | None
    """Tokens that can be drawn; None: all of the vocabulary."""


@dataclass(frozen=True)
class TokenEvent:
    """A token more for a sample."""

    type: Literal["token"] = field(default="token", init=False)
    sample: int
    """From 0 on."""
    index: int
    """How many tokens the sample had before it."""
    text: str
    """What became certain of the sample's text with it: put together, these and the end's ``rest`` are the text."""
    token_id: int
    token: str
    """Its own text; bytes that are no whole character show as U+FFFD."""
    choice: TokenChoice | None
    """What the model thought of it; None with ``SamplingOptions.alternatives=None``."""


@dataclass(frozen=True)
class EndEvent:
    """Nothing more comes for a sample. When all have ended, there is one of these for each, in order."""

    type: Literal["end"] = field(default="end", init=False)
    sample: int
    reason: str
    """``stop``, ``end_of_text`` or ``max_tokens``."""
    rest: str
    """Text that was held back until now."""
    text: str
    """All of it, without the prompt."""
    token_ids: list[int]
    """All that were drawn, the end-of-text token and those of a stop included."""


Event = StartEvent | TokenEvent | EndEvent


def encode_prompt(tokenizer: TextTokenizer, prompt: str, prefix: Sequence[int] = ()) -> list[int]:
    """The tokens to begin with: ``prompt``, then the token ids ``prefix``; end-of-text, where a document begins, if
    there are none.

    Raises:
        ValueError: if the prompt is no text, or ``prefix`` has a token that does not exist.
    """
    if any(not 0 <= token_id < tokenizer.vocab_size for token_id in prefix):
        raise ValueError(f"prefix: token ids go from 0 to {tokenizer.vocab_size - 1}")
    return [*tokenizer.encode(prompt), *prefix] or [tokenizer.endoftext]


def stream_events(
    model: GPTModel,
    tokenizer: TextTokenizer,
    prompt_ids: Sequence[int],
    options: SamplingOptions,
    among: Tensor | None = None,
) -> Iterator[Event]:
    """The events of one generation, as they happen; samples that have ended are silent until all have.

    Args:
        model: on any device.
        tokenizer: what its tokens mean.
        prompt_ids: at least one; the model sees the last ``context_length`` of them.
        options: how to go on.
        among: ``(vocab_size,)`` bool, on the CPU: the tokens that can be drawn; None: all.

    Raises:
        ValueError: if there is no token to begin with, or what the model predicts are no numbers.
    """
    seen = prompt_ids[-model.config.context_length :]
    tokens = [PromptToken(token_id, token_text(tokenizer, token_id)) for token_id in seen]
    n_drawable = None if among is None else int(among.sum())
    yield StartEvent(tokens=tokens, cropped=len(prompt_ids) - len(seen), n_drawable=n_drawable)
    texts = [TextStream(tokenizer, options.stop) for _ in range(options.num_samples)]
    drawn: list[list[int]] = [[] for _ in texts]
    prompts, sampling = [prompt_ids] * len(texts), options.sampling
    steps = stream(model, prompts, options.max_tokens, sampling, seed=options.seed, among=among)
    for index, step in enumerate(steps):
        for sample, token_id in enumerate(step.token_ids.tolist()):
            if texts[sample].ended is not None:
                continue
            drawn[sample].append(token_id)
            choice = None
            if options.alternatives is not None:
                choice = explain_choice(step.logits[sample], token_id, options.alternatives, tokenizer, among)
            yield TokenEvent(
                sample=sample,
                index=index,
                text=texts[sample].push(token_id),
                token_id=token_id,
                token=token_text(tokenizer, token_id),
                choice=choice,
            )
        if all(text.ended for text in texts):
            break
    for sample, text in enumerate(texts):
        rest = text.finish()
        yield EndEvent(sample=sample, reason=str(text.ended), rest=rest, text=text.text, token_ids=drawn[sample])


def to_plain(event: Event) -> dict[str, Any]:
    """An event as JSON has it: the names are those of the fields, and a token's ``choice`` stands beside the rest."""
    plain = asdict(event)
    return plain | (plain.pop("choice", None) or {})
