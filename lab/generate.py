"""Continues a text with a trained model: ``python -m lab.generate checkpoint=last prompt="The fox"``."""

import codecs
import difflib
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import torch

from lab import checkpoint as checkpoints
from lab import cli
from lab.errors import LabError
from lab.model import GPTConfig, GPTModel
from lab.sampling import stream
from lab.tokenizer import Tokenizer

_HELP = """\
Continues a text. Standard output carries the text alone.

    python -m lab.generate checkpoint=last prompt="The fox" temperature=0.8 top_k=50

  checkpoint   a .ckpt file, a run folder, or `last` for the newest under outputs/ (last)
  prompt       how the text begins; without one it begins where a document does
  max_tokens   tokens to add (100)
  temperature  below 1: safer, above 1: wilder, 0: always the likeliest token (0.8)
  top_k        draw from the k likeliest tokens only; 0: from all (50)
  seed         the same seed gives the same text (a new one each time)
"""


@dataclass
class Options:
    """What can be given as option=value. Values are taken as typed, whatever is in them."""

    checkpoint: str = "last"
    prompt: str = ""
    max_tokens: int = 100
    temperature: float = 0.8
    top_k: int = 50
    seed: int | None = None


def main() -> None:
    """The command line."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(_HELP, end="")
        return
    cli.run(lambda: generate(parse(sys.argv[1:])))


def parse(arguments: list[str]) -> Options:
    """The options out of ``option=value`` words.

    Raises:
        LabError: for an unknown option or a value that does not fit.
    """
    options = Options()
    kinds = {
        f.name: {"max_tokens": int, "top_k": int, "seed": int, "temperature": float}.get(f.name, str)
        for f in fields(Options)
    }
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=1)
            raise LabError(
                f"there is no option {name}; " + (f"did you mean {near[0]}=?" if near else "--help lists them")
            )
        try:
            setattr(options, name, kinds[name](value))
        except ValueError:
            kind = "a whole number" if kinds[name] is int else "a number"
            raise LabError(f"{argument} does not fit: it must be {kind}") from None
    if not 0 <= options.temperature < float("inf"):
        raise LabError(f"temperature={options.temperature:g} is out of range: it must be at least 0")
    for name in ("max_tokens", "top_k"):
        if getattr(options, name) < 0:
            raise LabError(f"{name}={getattr(options, name)} is out of range: it must be at least 0")
    return options


def load_model(path: Path) -> GPTModel:
    """The decoder of a checkpoint, ready to be used.

    Raises:
        LabError: if the file is not a checkpoint of ours.
    """
    found = checkpoints.load(path)
    model = GPTModel(GPTConfig(**found["lab"]["config"]["model"]))
    prefix = "model."
    model.load_state_dict({k.removeprefix(prefix): v for k, v in found["state_dict"].items() if k.startswith(prefix)})
    return model.eval()


def generate(options: Options) -> None:
    """Prints the prompt and its continuation, token by token as they come."""
    model = load_model(checkpoints.find(options.checkpoint, Path.cwd(), "checkpoint"))
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
        top_k=options.top_k or None,
        generator=generator,
    ):
        token = int(drawn[0, 0])
        if token == tokenizer.endoftext:
            break
        print(decoder.decode(tokenizer.decode_bytes([token])), end="", flush=True)
    print(decoder.decode(b"", final=True))


if __name__ == "__main__":
    main()
