"""Tasks for a model, read from JSON lines: choose the right ending, or find the last word.

Two layouts are known, told apart by their fields:

    {"ctx": "A text", "endings": ["one way on", "another", ...], "label": 0}      as in HellaSwag
    {"text": "A text whose last word is wanted"}                                  as in LAMBADA

The first may have its context in two parts, ``ctx_a`` and ``ctx_b``. Further fields are left alone, and so is the text:
a file is scored as it stands. HellaSwag: Zellers et al. 2019, https://arxiv.org/abs/1905.07830; LAMBADA: Paperno et al.
2016, https://arxiv.org/abs/1606.06031.

Nothing is generated to answer a question. The model says how probable each ending is after the context, and the most
probable one is its answer (Brown et al. 2020, section 2.4, https://arxiv.org/abs/2005.14165).
"""

import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab.errors import LabError
from lab.evaluation.scoring import Continuation, perplexity, score_continuations
from lab.files import strict_json
from lab.files.utf8 import decode
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer

Layout = Literal["multiple choice", "last word"]

DEFINITIONS: dict[str, dict[str, str]] = {
    "multiple choice": {
        "acc": "the right ending has the largest summed log-likelihood",
        "acc_norm": "the right ending has the largest log-likelihood a character (as lm-eval's acc_norm)",
        "acc_per_token": "the right ending has the largest log-likelihood a token",
    },
    "last word": {
        "acc": "each token of the word is the model's likeliest",
        "perplexity": "exp of minus the mean log-likelihood of a word, all its tokens together",
    },
}
"""What the figures of each layout mean; acc is a share of the examples, 0 to 1."""

_EXAMPLES = {
    "multiple choice": '{"ctx": "...", "endings": ["...", "..."], "label": 0}',
    "last word": '{"text": "..."}',
}


@dataclass(frozen=True)
class Example:
    """One line of a task: which of ``endings`` continues ``context``? For a last word, there is only one."""

    line: int
    context: str
    endings: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class Task:
    """A task file."""

    path: Path
    layout: Layout
    examples: tuple[Example, ...]

    @property
    def n_endings(self) -> int:
        """Endings to score, over all examples."""
        return sum(len(example.endings) for example in self.examples)


@dataclass(frozen=True)
class MultipleChoiceResult:
    """Shares of the examples answered rightly, 0 to 1, by three measures; see ``DEFINITIONS``."""

    examples: int
    acc: float
    acc_norm: float
    acc_per_token: float
    chance: float
    """What guessing reaches on average."""
    cropped: int
    """Endings whose context had to lose its beginning to fit into the model."""


@dataclass(frozen=True)
class LastWordResult:
    """How well the last words were foreseen; see ``DEFINITIONS``."""

    examples: int
    acc: float
    perplexity: float
    chance: float
    """The share of right words that drawing tokens at random reaches."""
    cropped: int
    """Examples whose context had to lose its beginning to fit into the model."""


def read_task(path: Path) -> Task:
    """The examples in ``path``; blank lines are skipped, and the first line decides the layout.

    Raises:
        LabError: if the file is missing, empty or not UTF-8, or, with its number, for the first line that does not fit.
    """
    layout: Layout | None = None
    examples = []
    try:
        text = decode(path.read_bytes(), path)
    except FileNotFoundError:
        raise LabError(f"there is no task file {path}") from None
    except OSError as error:
        raise LabError(f"the task file {path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if not line.strip():
            continue
        fields = _fields(line, path, number)
        if layout is None:
            layout = _layout(fields, path, number)
        read = _multiple_choice if layout == "multiple choice" else _last_word
        try:
            examples.append(read(fields, number))
        except ValueError as error:
            raise LabError(
                f"{path}, line {number}: {error}; a {layout} task has lines like {_EXAMPLES[layout]}"
            ) from None
    if layout is None:
        raise LabError(f"the task file {path} is empty")
    return Task(path, layout, tuple(examples))


def score_task(
    task: Task,
    model: GPTModel,
    tokenizer: TextTokenizer,
    *,
    batch_size: int = 8,
    advance: Callable[[int], None] = lambda scored: None,
) -> MultipleChoiceResult | LastWordResult:
    """What the model makes of a task. ``advance`` is called with the number of endings scored, after each batch.

    Raises:
        LabError: if an ending is longer than the model's context.
    """
    limit = model.config.context_length
    pairs: list[tuple[list[int], list[int]]] = []
    spans, cropped = [], 0
    for example in task.examples:
        # No token of GPT-2's reaches across the border between a word and the white space after it: the two sides can
        # be encoded separately. A document begins with <|endoftext|>, and so does an ending without a context.
        context = tokenizer.encode(example.context) or [tokenizer.endoftext]
        endings = [tokenizer.encode(ending) for ending in example.endings]
        longest = max(map(len, endings))
        if longest > limit:
            raise LabError(
                f"{task.path}, line {example.line}: an ending of {longest} tokens does not fit into the model's "
                f"context of {limit}; shorten it, or take a model with a longer context"
            )
        cropped += sum(len(context) + len(ending) - 1 > limit for ending in endings)
        spans.append(slice(len(pairs), len(pairs) + len(endings)))
        pairs += [(context, ending) for ending in endings]
    scores = score_continuations(model, pairs, batch_size=batch_size, advance=advance)
    if not all(math.isfinite(score.log_likelihood) for score in scores):
        raise LabError("the model gives log-likelihoods that are not finite: its weights are damaged, take another one")
    lengths = [len(ending) for _, ending in pairs]
    if task.layout == "last word":
        return _last_word_result(task, scores, lengths, model.config.vocab_size, cropped)
    return _multiple_choice_result(task, [scores[span] for span in spans], [lengths[span] for span in spans], cropped)


def _multiple_choice_result(
    task: Task, scores: Sequence[Sequence[Continuation]], lengths: Sequence[Sequence[int]], cropped: int
) -> MultipleChoiceResult:
    right = {"acc": 0, "acc_norm": 0, "acc_per_token": 0}
    for example, found, n_tokens in zip(task.examples, scores, lengths, strict=True):
        divisors = {
            "acc": [1] * len(found),
            "acc_norm": [len(ending.strip()) for ending in example.endings],
            "acc_per_token": n_tokens,
        }
        for name, by in divisors.items():
            values = [score.log_likelihood / divisor for score, divisor in zip(found, by, strict=True)]
            right[name] += values.index(max(values)) == example.label
    n = len(task.examples)
    chance = sum(1 / len(example.endings) for example in task.examples) / n
    return MultipleChoiceResult(n, **{k: v / n for k, v in right.items()}, chance=chance, cropped=cropped)


def _last_word_result(
    task: Task, scores: Sequence[Continuation], lengths: Sequence[int], vocab_size: int, cropped: int
) -> LastWordResult:
    n = len(task.examples)
    return LastWordResult(
        examples=n,
        acc=sum(score.greedy for score in scores) / n,
        perplexity=perplexity(-sum(score.log_likelihood for score in scores) / n),
        chance=sum(float(vocab_size) ** -length for length in lengths) / n,
        cropped=cropped,
    )


def _fields(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        fields = strict_json.loads(line)
        json.dumps(fields, ensure_ascii=False).encode("utf-8")  # a lone surrogate is no text
    except UnicodeEncodeError:
        raise LabError(f"{path}, line {number}: this is not a line of JSON in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise LabError(f"{path}, line {number}: this is not a line of JSON ({error})") from None
    if not isinstance(fields, dict):
        raise LabError(f"{path}, line {number}: expected a JSON object like {_EXAMPLES['multiple choice']}")
    return fields


def _layout(fields: dict[str, Any], path: Path, number: int) -> Layout:
    if "endings" in fields:
        return "multiple choice"
    if "text" in fields:
        return "last word"
    raise LabError(f"{path}, line {number}: expected {' or '.join(_EXAMPLES.values())}, and found neither")


def _multiple_choice(fields: dict[str, Any], line: int) -> Example:
    endings, label = fields.get("endings"), fields.get("label")
    parts = [fields["ctx"]] if "ctx" in fields else [fields.get("ctx_a"), fields.get("ctx_b", "")]
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("ctx (or ctx_a and ctx_b) must be a text")
    if not isinstance(endings, list) or len(endings) < 2:
        raise ValueError("endings must be a list of two or more")
    if not all(isinstance(ending, str) and ending.strip() for ending in endings):
        raise ValueError("each ending must be a text that is not empty")
    # HellaSwag's label is a number in its own files and a text of one in some copies.
    if isinstance(label, str) and label.isdecimal() and len(label) < 10:
        label = int(label)
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < len(endings):
        raise ValueError(f"label must be the number of the right ending, 0 to {len(endings) - 1}")
    context = " ".join(part.strip() for part in parts if part.strip())
    return Example(line, context, tuple(f" {ending.strip()}" for ending in endings), label)


def _last_word(fields: dict[str, Any], line: int) -> Example:
    text = fields.get("text")
    if not isinstance(text, str) or len(text.split()) < 2:
        raise ValueError("text must have two words or more")
    context, word = text.rsplit(maxsplit=1)
    return Example(line, context, (f" {word}",), 0)
