"""A text as tokens, under each of the lab's tokenizers: ``python -m lab.tokenize text="The fox"``."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.commands import entry
from lab.commands.options import help_text, parse, place
from lab.config import compose
from lab.config.limits import LIMITS as TRAINING
from lab.config.limits import Limit
from lab.config.schema import Config, TokenizerName, check
from lab.data.prepare import make_tokenizer
from lab.errors import LabError
from lab.files.paths import typed_path
from lab.files.utf8 import decode
from lab.interchange.pretrained import open_tokenizer
from lab.terminal import print_json
from lab.tokenizers.contract import TextTokenizer
from lab.tokenizers.view import View, view

_HEAD = """\
Shows a text as tokens, one tokenizer below the other, and what byte-pair encoding joined first. Those that learn their
vocabulary learn it from the training text of a corpus, as lab.train does.

    python -m lab.tokenize text="The fox and the crow"
    python -m lab.tokenize text="The fox" tokenizer=bpe tokenizer.vocab_size=512 corpus=verdict
    python -m lab.tokenize file=notes.txt checkpoint=last format=json
"""
_SHOWN = 200
"""Tokens of a text that are printed; JSON has them all."""


@dataclass
class Options:
    """What can be given as option=value."""

    text: str | None = None
    """The text."""
    file: str | None = place(None)
    """A file that it stands in; - is standard input."""
    tokenizer: list[str] = field(default_factory=list)
    """gpt2, bytes, chars, bpe or hf; given several times, several of them; left out: all but hf."""
    tokenizer_vocab_size: int | None = field(default=None, metadata={"typed": "tokenizer.vocab_size"})
    """Tokens that bpe learns; null: as many as in lab.train."""
    tokenizer_path: str | None = place(None, "tokenizer.path")
    """For hf: a tokenizer.json, or the folder of a model that has one."""
    corpus: str = "fables"
    """What chars and bpe learn from: a choice of lab.train's corpus=."""
    corpus_path: str | None = place(None, "corpus.path")
    """With corpus=text: file, folder or glob pattern."""
    checkpoint: str | None = place(None)
    """The tokenizer of a trained model instead: a .ckpt file, a run folder, `last`, a Hugging Face folder ..."""
    merges: int = 10
    """How many of the first merges are shown."""
    format: Literal["text", "json"] = "text"
    """What is printed."""


LIMITS = {"merges": Limit(0, 100_000), "tokenizer.vocab_size": TRAINING["tokenizer.vocab_size"]}


def main() -> None:
    """The command line."""
    entry.run_composing(
        lambda: tokenize(parse(sys.argv[1:], Options, LIMITS), Path.cwd()), lambda: help_text(_HEAD, Options, LIMITS)
    )


def tokenize(options: Options, start_folder: Path) -> None:
    """Prints what ``options`` ask for.

    Raises:
        LabError: if there is no such text or tokenizer.
    """
    text = _text(options, start_folder)
    try:
        views = [view(tokenizer, text, options.merges) for tokenizer in _tokenizers(options, start_folder)]
    except ValueError as error:
        raise LabError(f"text= has bytes that are not UTF-8 ({error}): type it as UTF-8") from error
    if options.format == "json":
        print_json({"text": text, "bytes": len(text.encode()), "tokenizers": [_plain(one) for one in views]}, indent=2)
    else:
        print("\n\n".join(map(_printed, views)))


def _text(options: Options, start_folder: Path) -> str:
    if (options.text is None) == (options.file is None):
        raise LabError('give a text, with text="The fox" or with file=FILE, and not both')
    if options.file is None:
        return options.text or ""
    try:
        data = sys.stdin.buffer.read() if options.file == "-" else typed_path(options.file, start_folder).read_bytes()
    except OSError as error:
        raise LabError(f"file={options.file} cannot be read: {error.strerror}") from error
    return decode(data, f"file={options.file}")


def _tokenizers(options: Options, start_folder: Path) -> list[TextTokenizer]:
    if options.checkpoint is not None:
        if options.tokenizer:
            raise LabError("checkpoint= has a tokenizer of its own, and tokenizer= names others: give one of them")
        return [open_tokenizer(options.checkpoint, start_folder)]
    known = [name.name for name in TokenizerName]
    if unknown := [name for name in options.tokenizer if name not in known]:
        raise LabError(f"tokenizer={unknown[0]} is unknown: choose one of {', '.join(known)}")
    wanted = options.tokenizer or [name for name in known if name != "hf"]
    for option, value, needed in (
        ("vocab_size", options.tokenizer_vocab_size, "bpe"),
        ("path", options.tokenizer_path, "hf"),
    ):
        if value is not None and needed not in wanted:
            raise LabError(f"tokenizer.{option}= goes with tokenizer={needed}: add that, or leave it out")
    configs = [_config(options, name) for name in wanted]
    return [make_tokenizer(one.tokenizer, one.corpus, one.data, start_folder) for one in configs]


def _config(options: Options, name: str) -> Config:
    """The options of a training with this tokenizer."""
    size = options.tokenizer_vocab_size
    words = {"tokenizer": name, "corpus": options.corpus, "corpus.path": options.corpus_path}
    if name == "bpe":
        words["tokenizer.vocab_size"] = None if size is None else str(size)
    if name == "hf":
        words["tokenizer.path"] = options.tokenizer_path
    typed = [f"{key}={value}" for key, value in words.items() if value is not None]
    return check(compose.compose_config(typed))


def _plain(seen: View) -> dict[str, Any]:
    return {
        "name": seen.name,
        "vocab_size": seen.vocab_size,
        "bytes_per_token": seen.bytes_per_token,
        "tokens": [{"token_id": one.token_id, "text": one.text, "bytes": one.data.hex()} for one in seen.pieces],
        "merges": seen.merges,
    }


def _printed(seen: View) -> str:
    n = len(seen.pieces)
    head = f"{seen.name}, a vocabulary of {seen.vocab_size:,}: {n:,} token{'' if n == 1 else 's'}"
    if n:
        head += f", {seen.bytes_per_token:.2f} bytes a token"
    lines = [head, "  " + "|".join(one.text for one in seen.pieces[:_SHOWN])]
    if n > _SHOWN:
        lines.append(f"  ... and {n - _SHOWN:,} more (format=json has them all)")
    if seen.merges:
        lines.append("  first merges: " + ", ".join(f"'{left}' + '{right}'" for left, right in seen.merges))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
