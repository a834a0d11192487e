"""Measures a trained model on a text or on a task: ``python -m lab.evaluate checkpoint=last corpus=fables``."""

import contextlib
import math
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from lab.commands import entry
from lab.commands.options import help_text, own_parts, parse, place
from lab.config import compose
from lab.config.choices import group_choices
from lab.config.corpus_schema import ID_FORMATS, CorpusConfig, CorpusSource
from lab.config.limits import AT_LEAST_1
from lab.config.limits import LIMITS as LIMITS_OF_TRAINING
from lab.config.schema import Config, DataConfig, check
from lab.data.prepare import anchor, read_corpus
from lab.errors import LabError
from lab.evaluation import scoring, tasks
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.validation import Kind, Unfit, text, whole
from lab.interchange.pretrained import Pretrained, open_pretrained
from lab.runs import ownership
from lab.system.device import torch_device
from lab.terminal import print_json, showing, table

_HEAD = """\
Measures a trained model on a text: loss, perplexity, bits per byte and accuracy, over every token but the first,
each exactly once. Standard output carries the table or the JSON alone.

    python -m lab.evaluate checkpoint=last                          the validation text of its own corpus
    python -m lab.evaluate checkpoint=last corpus=verdict stride=64 another corpus, in overlapping windows
    python -m lab.evaluate checkpoint=last corpus=text corpus.path=notes/ split=all
    python -m lab.evaluate checkpoint=last format=json to=figures.json

Or on a task, a file of JSON lines in the layout of HellaSwag or of LAMBADA:

    python -m lab.evaluate checkpoint=last task=questions.jsonl

    {"ctx": "...", "endings": ["...", "..."], "label": 0}   which ending is right?
        acc: the right ending has the largest summed log-likelihood; acc_norm: ... the largest log-likelihood a
        character (as lm-eval's acc_norm); acc_per_token: ... a token
    {"text": "..."}                                         what is the last word?
        acc: each token of the word is the model's likeliest; perplexity: exp of minus the mean log-likelihood of a
        word, all its tokens together
"""


@dataclass
class Options:
    """What can be given as option=value."""

    checkpoint: str = place("last")
    """A .ckpt file, a run folder, `last` for the newest under outputs/, a .safetensors file of lab.export, a Hugging
    Face folder, or a name on the hub, such as gpt2."""
    parts: list[str] = field(default_factory=list)
    """A Python file that defines parts of the model, if it has parts of your own; may be given several times."""
    corpus: str | None = None
    """The text: a choice of lab.train's corpus=; null: the one that the model was trained on."""
    corpus_path: str | None = place(None, "corpus.path")
    """With corpus=text: file, folder or glob pattern; relative to where the command is typed."""
    corpus_document_separator: str | None = field(default=None, metadata={"typed": "corpus.document_separator"})
    """A text that ends a document wherever it stands; null: of the model's own corpus, that of its training."""
    split: Literal["val", "train", "all"] = "val"
    """val or train, cut as in training, or all of the text."""
    stride: int | None = None
    """Tokens from one window to the next, at most the model's context_length; null: context_length, so that nothing
    overlaps. Smaller: each token has at least context_length - stride tokens of context, and it takes longer."""
    task: str | None = place(None)
    """A file of JSON lines to score instead of a corpus."""
    batch_size: int = 8
    """Windows, or endings, at a time; the result does not depend on it."""
    format: Literal["table", "json"] = "table"
    """What is printed: table or json."""
    to: str | None = place(None)
    """A file for the JSON as well."""
    device: str = "auto"
    """auto, cpu, cuda (or cuda:1 ...), or mps."""


LIMITS = {"batch_size": AT_LEAST_1, "stride": AT_LEAST_1}


def main() -> None:
    """The command line."""
    entry.run_composing(
        _start,
        lambda: help_text(_HEAD, Options, LIMITS),
    )


def _start() -> None:
    options = parse(sys.argv[1:], Options, LIMITS)
    with own_parts(options.parts):
        evaluate(options, Path.cwd())


def evaluate(options: Options, start_folder: Path) -> None:
    """Measures, prints, and writes if asked to.

    Raises:
        LabError: if an option, the model, the text or the task is not usable.
    """
    of_text = (options.corpus, options.corpus_path, options.corpus_document_separator, options.stride)
    if options.task is not None and of_text != (None,) * len(of_text):
        raise LabError("task= scores a task file, and corpus=, corpus.path= and stride= a text: give one or the other")
    if options.to is not None:
        target = typed_path(options.to, start_folder)
        if target.is_dir():
            raise LabError(f"to={options.to} is a folder: give the name of a file for the JSON")
        ownership.refuse_taken(target)
    # The quick questions first: a task that cannot be read should not wait for a model of gigabytes.
    task = tasks.read_task(typed_path(options.task, start_folder)) if options.task is not None else None
    device = _device(options.device)
    opened = open_pretrained(options.checkpoint, start_folder)
    if (known := opened.model.config.vocab_size) < opened.tokenizer.vocab_size:
        raise LabError(f"{opened.source} knows {known} tokens, and its tokenizer {opened.tokenizer.vocab_size}")
    opened.model.to(device)
    model = {"checkpoint": opened.source, "step": opened.step, "context_length": opened.model.config.context_length}
    try:
        if task is not None:
            rows, figures = _on_task(task, opened, options.batch_size)
        else:
            rows, figures = _on_text(opened, options, start_folder)
    except torch.OutOfMemoryError as error:
        way = f"give batch_size={options.batch_size // 2}" if options.batch_size > 1 else "give device=cpu"
        raise LabError(f"the memory of {device} is too small for batch_size={options.batch_size}: {way}") from error
    figures = model | figures
    failed = None
    if options.to is not None:
        try:
            atomic.write_json(typed_path(options.to, start_folder), figures)
        except OSError as error:
            failed = LabError(f"to={options.to} cannot be written ({error.strerror or error})")
    # After the file, but also without it: neither is lost because the other one is.
    if options.format == "json":
        print_json(figures, indent=2)
    else:
        step = "" if opened.step is None else f", step {opened.step}"
        table("evaluation", {"model": f"{opened.source}{step}", **rows})
    if failed is not None:
        raise failed


def _on_text(opened: Pretrained, options: Options, start_folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Scores a corpus. Returns the rows of the table and the figures for JSON."""
    context_length = opened.model.config.context_length
    stride = options.stride or context_length
    if stride > context_length:
        raise LabError(f"stride={stride} is out of range: it must be at most the model's context of {context_length}")
    config = chosen_corpus(options, opened, start_folder)
    corpus = config.corpus
    read = read_corpus(corpus, start_folder, opened.tokenizer)
    tokens, fingerprint = read.tokens.open(), read.tokens.fingerprint
    data = cut_as_trained(config, fingerprint, opened, start_folder)
    train, val = read.cut(data)
    part: np.ndarray = {"train": train, "val": val, "all": tokens}[options.split]
    if len(part) < 2:
        raise LabError(
            f"the corpus {corpus.name} is too small: split={options.split} has {len(part)} of its {len(tokens):,} "
            f"tokens, and at least 2 are needed; choose a longer text{' or split=all' if len(tokens) > 1 else ''}"
        )
    byte_lengths = opened.tokenizer.byte_lengths()
    stored = opened.metadata["config"].get("data") if opened.metadata else None
    separate = isinstance(stored, dict) and stored.get("document_mask") is True  # as the model was trained
    end = opened.tokenizer.endoftext if separate else None
    with showing(f"scoring {corpus.name}", len(part) - 1, "tokens") as advance:
        score = scoring.score_text(
            opened.model,
            part,
            byte_lengths,
            stride=stride,
            batch_size=options.batch_size,
            document_end=end,
            advance=advance,
        )
    if not math.isfinite(score.nll):
        raise LabError(f"the loss is {score.nll}: the weights of {opened.source} are damaged, take another checkpoint")
    rows = {
        "corpus": f"{corpus.name}, {options.split}: {len(part):,} of {len(tokens):,} tokens",
        **read.told(),
        "windows": f"{context_length} tokens, {stride} from one to the next",
        "loss": f"{score.loss:.4f} nats a token",
        "perplexity": f"{score.perplexity:,.2f}",
        "bits per byte": f"{score.bits_per_byte:.4f}",
        "accuracy": f"{score.accuracy:.2%} of the tokens were the model's likeliest",
        "scored": f"{score.tokens:,} tokens, {score.n_bytes:,} bytes",
    }
    figures = {
        "corpus": corpus.name,
        "fingerprint": fingerprint,
        "files": len(read.found.files),
        "left_out": read.found.left_out,
        "split": options.split,
        "stride": stride,
        "loss": score.loss,
        "perplexity": score.perplexity,
        "bits_per_byte": score.bits_per_byte,
        "accuracy": score.accuracy,
        "tokens": score.tokens,
        "bytes": score.n_bytes,
    }
    return rows, figures


def _on_task(task: tasks.Task, opened: Pretrained, batch_size: int) -> tuple[dict[str, str], dict[str, Any]]:
    """Scores a task. Returns the rows of the table and the figures for JSON."""
    with showing(f"scoring {task.path.name}", task.n_endings, "endings") as advance:
        result = tasks.score_task(task, opened.model, opened.tokenizer, batch_size=batch_size, advance=advance)
    if result.cropped:
        print(
            f"note: {result.cropped} of {task.n_endings} contexts lost their beginning, to fit with the ending into "
            f"the {opened.model.config.context_length} tokens of the model",
            file=sys.stderr,
        )
    values = asdict(result)
    rows = {"task": f"{task.path}, {task.layout}, examples: {result.examples:,}"}
    for name, meaning in tasks.DEFINITIONS[task.layout].items():
        is_share = name.startswith("acc")
        rows[name] = f"{values[name]:.2%}: {meaning}" if is_share else f"{values[name]:,.2f}: {meaning}"
    rows["by chance"] = f"{result.chance:.2%}: " + (
        "guessing among the endings" if task.layout == "multiple choice" else "drawing tokens at random"
    )
    facts = {"task": str(task.path), "layout": task.layout, "definitions": tasks.DEFINITIONS[task.layout]}
    return rows, facts | values


def chosen_corpus(options: Options, opened: Pretrained, start_folder: Path) -> Config:
    """The configuration of a run on the corpus that is asked for, or else on the one that the model was trained on.

    Raises:
        LabError: if there is no such corpus.
    """
    trained = opened.metadata["config"]["corpus"] if opened.metadata else {}
    known = ", ".join(group_choices("corpus"))
    name, path = options.corpus, options.corpus_path
    if name is None:
        name = "text" if path is not None else trained.get("name")
    if name is None:
        raise LabError(f"{opened.source} does not say what it was trained on: give corpus=, one of {known}")
    if name == "mix":
        parts = trained.get("parts")
        named = ", ".join(map(str, parts)) if isinstance(parts, list) else known
        raise LabError(f"a mixture is measured a part at a time: give corpus= or corpus.path=, one of {named}")
    words: dict[str, str | None] = {"corpus": name}
    if name == trained.get("name") and trained.get("source") == "hf" and name not in group_choices("corpus"):
        words = {"corpus": "hf", "corpus.name": "hf", "corpus.dataset": str(trained.get("dataset") or name)}
    elif name not in group_choices("corpus"):
        raise LabError(f"corpus={name} is unknown: choose one of {known}")
    if path is not None and name not in _PLACED:
        raise LabError(
            f"corpus.path= goes with corpus=text or bin, and corpus={name} has a place of its own: leave one out"
        )
    if path is None and name in _PLACED and name == trained.get("name"):
        path = trained.get("path")
    separator = options.corpus_document_separator
    words |= {"corpus.path": path, "corpus.document_separator": separator}
    config = check(compose.compose_config([f"{key}={value}" for key, value in words.items() if value is not None]))
    config.corpus.name = name
    # Of a checkpoint, which comes from who knows where, only names and paths of a text to read are taken over.
    if _is_own(config.corpus, trained, start_folder):
        for option, kind in _TAKEN_OVER.items():
            with contextlib.suppress(Unfit):
                setattr(config.corpus, option, kind(trained.get(option), option))
        config.corpus.document_separator = separator or config.corpus.document_separator
        for option in ("seed", "documents"):  # of a grammar
            if config.corpus.source == CorpusSource.grammar and type(value := trained.get(option)) is int:
                LIMITS_OF_TRAINING[f"corpus.{option}"].check(f"corpus.{option}", value)
                setattr(config.corpus, option, value)
    anchor(config.corpus, start_folder)
    return config


_PLACED = ("text", "bin")
"""The corpora that are told by a path."""


def _id_format(value: Any, where: str) -> str:
    if text(10)(value, where) not in ID_FORMATS:
        raise Unfit(where)
    return str(value)


_TAKEN_OVER: dict[str, Kind] = {
    **dict.fromkeys(("document_separator", "column", "config_name", "split", "revision", "val_path"), text(1000)),
    "max_documents": whole(1),
    "dtype": _id_format,
}
"""What makes a text of what is there: options that evaluation has none of."""


def _is_own(corpus: CorpusConfig, trained: dict[str, Any], start_folder: Path) -> bool:
    """Is it, by its name and place, what the model was trained on?"""
    if corpus.name != trained.get("name"):
        return False
    own = str(typed_path(str(trained.get("path")), start_folder).absolute())
    return corpus.name not in _PLACED or own == str(typed_path(str(corpus.path), start_folder).absolute())


def cut_as_trained(config: Config, fingerprint: str, opened: Pretrained, start_folder: Path) -> DataConfig:
    """How the corpus is cut: if the model was trained on it, as it was then; else as it would be now.

    Raises:
        LabError: if the checkpoint does not know how.
    """
    if opened.metadata is None:
        return config.data
    now = config.corpus
    parts = opened.metadata["config"]["corpus"].get("parts")
    of_mixture = isinstance(parts, list) and (now.name in parts or now.path in parts)
    changed = opened.metadata["corpus"]["fingerprint"] != fingerprint and not of_mixture
    if changed and not _is_own(now, opened.metadata["config"]["corpus"], start_folder):
        return config.data
    if changed:
        print(
            f"note: the text of the corpus {now.name} is not the one that the model was trained on; what it calls "
            "validation text now, the model may have seen",
            file=sys.stderr,
        )
    stored = opened.metadata["config"].get("data")
    names = ("val_fraction", "max_val_tokens", "max_train_tokens")
    values = {name: stored.get(name) if isinstance(stored, dict) else None for name in names}
    if not all(isinstance(value, int | float | None) for value in values.values()) or values["val_fraction"] is None:
        raise LabError(f"{opened.source} does not say how its corpus was cut into training and validation text")
    return DataConfig(**values)  # type: ignore[arg-type]


def _device(name: str) -> torch.device:
    try:
        device = torch_device(name)
        if device.type not in ("cpu", "cuda", "mps"):
            raise ValueError(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ValueError) as error:  # torch's words for "unknown" and "not here"
        raise LabError(f"device={name} is not to be had here: choose auto, cpu, cuda or mps") from error
    return device


if __name__ == "__main__":
    main()
