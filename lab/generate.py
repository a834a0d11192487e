"""Continues a text with a trained model: ``python -m lab.generate checkpoint=last prompt="The fox"``."""

import codecs
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from lab import cli
from lab.config import Limit
from lab.options import help_text, parse
from lab.pretrained import open_pretrained
from lab.sampling import stream
from lab.tokenizer import Tokenizer

_HEAD = """\
Continues a text. Standard output carries the text alone.

    python -m lab.generate checkpoint=last prompt="The fox" temperature=0.8 top_k=50
"""


@dataclass
class Options:
    """What can be given as option=value."""

    checkpoint: str = "last"
    """A .ckpt file, a run folder, or `last` for the newest under outputs/."""
    prompt: str = ""
    """How the text begins; without one it begins where a document does."""
    max_tokens: int = 100
    """Tokens to add."""
    temperature: float = 0.8
    """Below 1: safer, above 1: wilder, 0: always the likeliest token."""
    top_k: int | None = 50
    """Draw from the k likeliest tokens only; null: from all."""
    seed: int | None = None
    """The same seed gives the same text; null: a new one each time."""


LIMITS = {
    "max_tokens": Limit(0),
    "temperature": Limit(0),
    "top_k": Limit(1),
    "seed": Limit(0, 2**32 - 1),
}


def main() -> None:
    """The command line."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(help_text(_HEAD, Options, LIMITS), end="")
        return
    cli.run(lambda: generate(parse(sys.argv[1:], Options, LIMITS)))


def generate(options: Options) -> None:
    """Prints the prompt and its continuation, token by token as they come."""
    model = open_pretrained(options.checkpoint, Path.cwd()).model
    tokenizer = Tokenizer()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    token_ids = tokenizer.encode(options.prompt) or [tokenizer.endoftext]
    generator = torch.Generator()
    if options.seed is None:
        generator.seed()
    else:
        generator.manual_seed(options.seed)
    # A character may be spread over several tokens; the decoder holds its bytes back until it is whole.
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    print(options.prompt, end="", flush=True)
    for drawn in stream(
        model,
        torch.tensor([token_ids], device=device),
        options.max_tokens,
        temperature=options.temperature,
        top_k=options.top_k,
        generator=generator,
    ):
        token = int(drawn[0, 0])
        if token == tokenizer.endoftext:
            break
        print(decoder.decode(tokenizer.decode_bytes([token])), end="", flush=True)
    print(decoder.decode(b"", final=True))


if __name__ == "__main__":
    main()
