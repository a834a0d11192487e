"""Speaking: from a prompt to printed text, or to lines of JSON for programs."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from lab.commands.options import place
from lab.config.schema import Limit
from lab.errors import LabError, is_text
from lab.inference.sampling import Sampling, Step, stream
from lab.inference.text_stream import TextStream
from lab.inference.token_choice import explain_choice
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTModel
from lab.terminal import print_json
from lab.tokenizer import Tokenizer


@dataclass
class Options:
    """What can be given as option=value."""

    checkpoint: str = place("last")
    """A .ckpt file, a run folder, `last` for the newest under outputs/, a Hugging Face folder, or `gpt2`."""
    prompt: str = ""
    """How the text begins; without one it begins where a document does."""
    prompt_file: str | None = place(None)
    """A file to read the beginning from, - for standard input; a line break at its end is not part of it."""
    max_tokens: int = 100
    """Tokens to add."""
    temperature: float = 0.8
    """Below 1: safer, above 1: wilder, 0: always the likeliest token."""
    top_k: int | None = 50
    """Draw from the k likeliest tokens only; null: from all."""
    top_p: float | None = None
    """Draw from the fewest tokens that together have this probability; null: from all."""
    seed: int | None = None
    """The same seed gives the same text; null: a new one each time. Sample 2 is sample 1 of the next seed."""
    num_samples: int = 1
    """Continuations to make, all at once."""
    stop: list[str] = field(default_factory=list)
    """A text that ends the sample where it begins; may be given several times."""
    format: str = "text"
    """text, or json: a line for each token, with its probability and the alternatives, and one for each sample."""
    alternatives: int = 5
    """With format=json: how many of the likeliest tokens to list at each place."""
    interactive: bool = False
    """Asks for prompts, one after the other, and lets these options be changed in between."""


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


class Speaker:
    """A model and its tokenizer, on the best device there is."""

    def __init__(self, checkpoint: str) -> None:
        self.model: GPTModel = open_pretrained(checkpoint, Path.cwd()).model
        self.model.to("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = Tokenizer()

    def tokens(self, text: str) -> list[int]:
        """The tokens to begin with; says so if the model will not see all of them."""
        try:
            token_ids = self.tokenizer.encode(text) or [self.tokenizer.endoftext]
        except ValueError as error:  # bytes that are not UTF-8, in the prompt as the shell handed it over
            raise LabError(f"the prompt has bytes that are not UTF-8 ({error}): type it as UTF-8") from error
        seen = self.model.config.context_length
        if len(token_ids) > seen:
            print(f"the prompt has {len(token_ids):,} tokens; the model sees the last {seen:,}", file=sys.stderr)
        return token_ids


def speak(speaker: Speaker, prompt: str, options: Options) -> str:
    """Prints the prompt and what continues it. Returns the (last) text.

    Raises:
        LabError: if the prompt is no text.
    """
    texts = [TextStream(speaker.tokenizer, options.stop) for _ in range(options.num_samples)]
    steps = _steps(speaker, speaker.tokens(prompt), options, texts)
    if options.format == "json":
        _print_lines(speaker.tokenizer, prompt, options, texts, steps)
    else:
        _print_text(prompt, texts, steps)
    return prompt + texts[-1].text


def _print_text(prompt: str, texts: Sequence[TextStream], steps: Iterator[Step]) -> None:
    live = len(texts) == 1
    if live:
        print(prompt, end="", flush=True)
    try:
        for step in steps:
            for text, token_id in zip(texts, step.token_ids.tolist(), strict=True):
                piece = text.push(token_id)
                if live:
                    print(piece, end="", flush=True)
        for number, text in enumerate(texts, start=1):
            piece = text.finish()
            if live:
                print(piece, end="", flush=True)
            else:
                # Several at once cannot be shown while they are written; the heading is no part of the text.
                print(f"sample {number} of {len(texts)}", file=sys.stderr, flush=True)
                print(prompt + text.text, end="\n" if number == len(texts) else "\n\n", flush=True)
    finally:
        if live:
            print(flush=True)  # also after Ctrl-C: what the shell prints next begins on a line of its own


def _print_lines(
    tokenizer: Tokenizer, prompt: str, options: Options, texts: Sequence[TextStream], steps: Iterator[Step]
) -> None:
    for index, step in enumerate(steps):
        for sample, (text, token_id) in enumerate(zip(texts, step.token_ids.tolist(), strict=True)):
            if text.ended is None:
                choice = explain_choice(step.logits[sample], token_id, options.alternatives)
                print_json(_token(sample, index, text.push(token_id), choice, tokenizer))
    for sample, text in enumerate(texts):
        rest = text.finish()
        print_json({"sample": sample, "end": text.ended, "rest": rest, "prompt": prompt, "text": text.text})


def _token(sample: int, index: int, piece: str, choice: Any, tokenizer: Tokenizer) -> dict[str, Any]:
    """One token for a program. ``text`` is what became certain with it: pieces put together are the sample's text."""
    found = asdict(choice)
    found["alternatives"] = [
        {"token_id": token_id, "text": tokenizer.decode([token_id]), "probability": probability}
        for token_id, probability in choice.alternatives
    ]
    return {"sample": sample, "index": index, "text": piece, **found}


def _steps(speaker: Speaker, token_ids: Sequence[int], options: Options, texts: Sequence[TextStream]) -> Iterator[Step]:
    """Steps of generation, until all of ``texts`` have ended."""
    prompts = [token_ids] * len(texts)
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    try:
        for step in stream(speaker.model, prompts, options.max_tokens, sampling, seed=options.seed):
            yield step
            if all(text.ended for text in texts):
                return
    except ValueError as error:
        raise LabError(str(error)) from error
