"""Generation in the terminal: from a prompt to printed text, or to lines of JSON for programs."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lab.commands.options import place
from lab.config.limits import Limit
from lab.errors import LabError, is_text
from lab.inference.generation import (
    EndEvent,
    Event,
    SamplingOptions,
    StartEvent,
    TokenEvent,
    encode_prompt,
    stream_events,
    to_plain,
)
from lab.inference.weight_format import Weights, prepare
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTModel
from lab.system.device import torch_device
from lab.terminal import print_json


@dataclass
class Options:
    """What can be given as option=value."""

    checkpoint: str = place("last")
    """A .ckpt file, a run folder, `last` for the newest under outputs/, a .safetensors file of lab.export, a Hugging
    Face folder, or a name on the hub, such as gpt2."""
    parts: list[str] = field(default_factory=list)
    """A Python file that defines parts of the model, if it has parts of your own; may be given several times."""
    prompt: str = ""
    """How the text begins; without one it begins where a document does."""
    prompt_file: str | None = place(None)
    """A file to read the beginning from, - for standard input; a line break at its end is not part of it."""
    max_tokens: int = SamplingOptions.max_tokens
    """Tokens to add."""
    temperature: float = SamplingOptions.temperature
    """Below 1: safer, above 1: wilder, 0: always the likeliest token."""
    top_k: int | None = SamplingOptions.top_k
    """Draw from the k likeliest tokens only; null: from all."""
    top_p: float | None = SamplingOptions.top_p
    """Draw from the fewest tokens that together have this probability; null: from all."""
    all_tokens: bool = False
    """Draws from the whole vocabulary. Otherwise a checkpoint of this lab writes with the tokens of its training text:
    of the others it has learnt nothing but that they do not come. Models of another origin always write with all."""
    seed: int | None = SamplingOptions.seed
    """The same seed gives the same text; null: a new one each time. Sample 2 is sample 1 of the next seed."""
    num_samples: int = SamplingOptions.num_samples
    """Continuations to make, all at once."""
    stop: list[str] = field(default_factory=list)
    """A text that ends the sample where it begins; may be given several times."""
    format: str = "text"
    """text, or json: a line for each token, with its probability and the alternatives, and one for each sample."""
    alternatives: int = 5
    """With format=json: how many of the likeliest tokens to list at each place."""
    weights: Weights = "fp32"
    """The number format to compute in. bf16 has three digits, and half as much to read for each token: faster where
    the processor can multiply it (a recent server's, a GPU), slower where it cannot. int8, on a CPU, has two digits
    and a quarter to read."""
    interactive: bool = False
    """Asks for prompts, one after the other, and lets these options be changed in between."""

    @property
    def sampling_options(self) -> SamplingOptions:
        """What of it the generation loop has to know. Text alone is printed without probabilities."""
        return SamplingOptions(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            seed=self.seed,
            stop=tuple(self.stop),
            alternatives=self.alternatives if self.format == "json" else None,
            num_samples=self.num_samples,
        )


LIMITS = {
    "max_tokens": Limit(0),
    "temperature": Limit(0),
    "top_k": Limit(1),
    "top_p": Limit(0, 1, open_low=True),
    "seed": Limit(0, 2**32 - 1),
    "num_samples": Limit(1, 1000),
    "alternatives": Limit(0),
}


def check(options: Options) -> None:
    """The rules that concern several options.

    Raises:
        LabError: naming the options that do not go together.
    """
    if options.format not in ("text", "json"):
        raise LabError(f"format={options.format} is unknown: choose text or json")
    if options.prompt and options.prompt_file is not None:
        raise LabError("prompt= and prompt_file= both say how the text begins: give one of them")
    if options.interactive and options.format == "json":
        raise LabError("interactive=true talks to a person, format=json to a program: give one of them")
    for text in options.stop:
        if not is_text(text):
            raise LabError("stop= has bytes that are not UTF-8, and no text will ever match it: type it as UTF-8")


class Generator:
    """A model and its tokenizer, on the best device there is, with its weights in the number format ``weights``."""

    def __init__(self, checkpoint: str, weights: Weights = "fp32") -> None:
        device = torch_device()
        if weights == "int8" and device.type != "cpu":
            raise LabError(f"weights=int8 is for the CPU, and this machine has {device.type}: take weights=bf16")
        found = open_pretrained(checkpoint, Path.cwd())
        self.model: GPTModel = found.model
        prepare(self.model, device, weights)
        self.tokenizer = found.tokenizer
        self.occurring = found.occurring

    def events(self, prompt: str, options: SamplingOptions, all_tokens: bool = False) -> Iterator[Event]:
        """What the generation loop tells of ``prompt`` and its continuations, in tokens of the training text or, with
        ``all_tokens``, in any.

        Raises:
            LabError: if the prompt is no text, or the model's weights are damaged.
        """
        try:
            prompt_ids = encode_prompt(self.tokenizer, prompt)
        except ValueError as error:  # bytes that are not UTF-8, in the prompt as the shell handed it over
            raise LabError(f"the prompt has bytes that are not UTF-8 ({error}): type it as UTF-8") from error
        try:
            among = None if all_tokens else self.occurring
            yield from stream_events(self.model, self.tokenizer, prompt_ids, options, among)
        except ValueError as error:
            raise LabError(str(error)) from error


def print_generation(generator: Generator, prompt: str, options: Options) -> str:
    """Prints the prompt and what continues it. Returns the (last) text, with the prompt before it.

    Raises:
        LabError: if the prompt is no text, or the model's weights are damaged.
    """
    events = generator.events(prompt, options.sampling_options, options.all_tokens)
    start = next(events)
    assert isinstance(start, StartEvent)
    if start.cropped:
        seen = len(start.tokens)
        print(f"the prompt has {start.cropped + seen:,} tokens; the model sees the last {seen:,}", file=sys.stderr)
    if options.format == "json":
        return prompt + _print_lines(prompt, events)
    if options.num_samples == 1:
        return prompt + _print_live(prompt, events)
    return prompt + _print_samples(prompt, options.num_samples, events)


def _print_live(prompt: str, events: Iterator[Event]) -> str:
    """Prints one sample while it is generated. Returns its text."""
    print(prompt, end="", flush=True)
    text = ""
    try:
        for event in events:
            match event:
                case TokenEvent(text=piece):
                    print(piece, end="", flush=True)
                case EndEvent(rest=piece, text=text):
                    print(piece, end="", flush=True)
    finally:
        print(flush=True)  # also after Ctrl-C: what the shell prints next begins on a line of its own
    return text


def _print_samples(prompt: str, num_samples: int, events: Iterator[Event]) -> str:
    """Prints several samples, which cannot be shown while they are generated, when all have ended. Returns the last
    one's text."""
    text = ""
    for event in events:
        if isinstance(event, EndEvent):
            text = event.text
            number = event.sample + 1
            # The heading is no part of the text.
            print(f"sample {number} of {num_samples}", file=sys.stderr, flush=True)
            print(prompt + text, end="\n" if number == num_samples else "\n\n", flush=True)
    return text


def _print_lines(prompt: str, events: Iterator[Event]) -> str:
    """Prints a line of JSON for each token and for the end of each sample. Returns the last sample's text."""
    text = ""
    for event in events:
        match event:
            case TokenEvent():
                print_json({key: value for key, value in to_plain(event).items() if key not in ("type", "token")})
            case EndEvent(text=text):
                line = {"sample": event.sample, "end": event.reason, "rest": event.rest}
                print_json(line | {"prompt": prompt, "text": text})
    return text
