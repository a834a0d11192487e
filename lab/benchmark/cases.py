"""What is measured: a case for each model, number format and way of computing that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from lab.benchmark import generation
from lab.config.compose import compose_config
from lab.config.schema import Config, check
from lab.inference.weight_format import Weights
from lab.parts.cost import flops_per_token
from lab.system import bfloat16

KINDS = ("training", "generation", "tokenization", "loading", "startup", "overhead")
"""What can be measured."""
SMALL_STEP = (
    *("tokenizer=bytes", "model.emb_dim=64", "model.n_layers=2", "model.n_heads=2", "model.context_length=64"),
    "data.batch_size=4",
)
"""A step of some milliseconds, in which what is around it weighs most."""
_SECONDS_TO_START = {"lab": 6.0, "products": 3.0, "memory": 4.0, "tiktoken": 2.0, "slices": 2.0}
_SECONDS_TO_COMPILE = 40.0
LIMITS = ("products", "memory")
"""Sides that do a part of the work alone, which nobody can leave out."""


@dataclass(frozen=True)
class Case:
    """One measurement: the same work on several sides."""

    what: str
    label: str
    sides: tuple[str, ...]
    """The lab comes first."""
    words: tuple[str, ...]
    """Options of lab.train, for all sides."""
    unit: str
    """Of what the sides do: tokens, bytes, steps, batches, starts."""
    amount: float
    """How much of that a side does in one go."""
    estimate: float
    """Seconds of doing it once on the lab's side, guessed."""
    more: dict[str, Any] = field(default_factory=dict)
    """What the processes are told beside."""

    @property
    def limit(self) -> str | None:
        """The side that no other can be faster than, if there is one: its matrix products alone, its memory alone."""
        return next((side for side in LIMITS if side in self.sides), None)

    def job(self, side: str) -> dict[str, Any]:
        """What the process of a side is told, but for its threads and its folder."""
        return {"what": self.what, "side": side, "words": list(self.words), **self.more}

    def rounds(self, asked: int) -> int:
        """How many rounds count, of as many as were asked for: half, where each starts processes anew."""
        return max(1, asked // 2) if self.what == "startup" else asked

    def seconds(self, asked: int) -> float:
        """How long it will take, guessed: setting up, and all rounds with those that warm up."""
        each = 1.1 * max(0.3, self.estimate) * len(self.sides)
        if self.what == "startup":
            return (self.rounds(asked) + 1) * each
        start = sum(_SECONDS_TO_START.get(side, 8.0) for side in self.sides)
        if "trainer.compile=true" in self.words:
            start += _SECONDS_TO_COMPILE * len(self.sides)
        return start + (self.rounds(asked) + 2) * each


@dataclass(frozen=True)
class Wanted:
    """What was asked for."""

    kinds: Sequence[str]
    models: Sequence[str]
    precisions: Sequence[str]
    compiled: Sequence[bool]
    words: Sequence[str]
    """Further options of lab.train."""
    weights: Sequence[Weights]
    """Number formats to generate in."""
    nanogpt: str | None
    """The folder of a checkout."""
    fused: bool


def make(wanted: Wanted, flops_per_second: float) -> list[Case]:
    """The cases, in the order in which they are measured. ``flops_per_second`` is what the machine does about, for the
    guesses.

    Raises:
        LabError: naming an option that makes no sense.
    """
    found = []
    for kind in KINDS:
        if kind not in wanted.kinds:
            continue
        if kind == "training":
            found += [
                _training(wanted, model, precision, compiled, flops_per_second)
                for model in wanted.models
                for precision in wanted.precisions
                for compiled in wanted.compiled
            ]
        elif kind == "generation":
            found += [
                _generation(wanted, model, weights, flops_per_second)
                for model in wanted.models
                for weights in wanted.weights
            ]
        elif kind == "startup":
            found += [_startup(wanted, model) for model in wanted.models]
        elif kind == "overhead":
            found += _overhead(wanted, flops_per_second)
        else:
            found.append(_tokenization(wanted) if kind == "tokenization" else _loading(wanted))
    return found


def rivals(nanogpt: str | None) -> tuple[str, ...]:
    """The sides that other packages are: those that are installed, and nanoGPT if its folder is given."""
    there = [side for side, package in (("hugging-face", "transformers"), ("litgpt", "litgpt")) if find_spec(package)]
    return (*there, "nanogpt") if nanogpt is not None else tuple(there)


def _config(words: Sequence[str]) -> Config:
    return check(compose_config(list(words)))


def _step_seconds(config: Config, flops_per_second: float) -> float:
    tokens = config.data.batch_size * config.model.context_length
    return 2 * tokens * flops_per_token(config.model) / flops_per_second


def _shape(config: Config) -> str:
    return f"batch {config.data.batch_size} x {config.model.context_length}"


def _training(wanted: Wanted, model: str, precision: str, compiled: bool, flops_per_second: float) -> Case:
    own = (f"trainer.precision={precision}", f"trainer.compile={str(compiled).lower()}")
    words = (f"model={model}", *wanted.words, *own)
    config = _config(words)
    seconds = _step_seconds(config, flops_per_second)
    return Case(
        "training",
        f"training {model}, {_shape(config)}, {precision}, {'compiled' if compiled else 'eager'}",
        ("lab", *(["lab-eager"] if compiled else []), *rivals(wanted.nanogpt), "products"),
        words,
        "tokens",
        config.data.batch_size * config.model.context_length,
        seconds * (4 if precision.startswith("bf16") and not bfloat16.native()[0] else 1),
        {"nanogpt": wanted.nanogpt, "fused": wanted.fused},
    )


def _generation(wanted: Wanted, model: str, weights: Weights, flops_per_second: float) -> Case:
    words = (f"model={model}", *wanted.words)
    config = _config(words)
    number = generation.n_tokens(config)
    # A token reads all weights once: four bytes of memory for two operations.
    seconds = number * (0.004 + 10 * flops_per_token(config.model) / 3 / flops_per_second)
    label = f"generation {model}, {number} tokens, {weights}"
    sides = ("lab", *(rivals(wanted.nanogpt) if weights != "int8" else ()), "memory")
    more = {"nanogpt": wanted.nanogpt, "weights": weights}
    return Case("generation", label, sides, words, "tokens", number, seconds, more)


def _tokenization(wanted: Wanted) -> Case:
    typed = any(word.startswith("corpus") for word in wanted.words)
    words = tuple(wanted.words) if typed else (*wanted.words, "corpus=stdlib")
    name = _config(words).corpus.name
    return Case("tokenization", f"tokenization of {name}, on all cores", ("lab", "tiktoken"), words, "bytes", 0.0, 1.5)


def _loading(wanted: Wanted) -> Case:
    words = (f"model={wanted.models[0]}", *wanted.words)
    config = _config(words)
    label = f"data loading, {_shape(config)}"
    return Case("loading", label, ("lab", "slices"), words, "batches", 1.0, 0.001)


def _startup(wanted: Wanted, model: str) -> Case:
    words = (f"model={model}", *wanted.words, f"trainer.precision={wanted.precisions[0]}")
    label = f"start-up to the first step, {model}"
    return Case(
        "startup", label, ("lab", *rivals(wanted.nanogpt)), words, "starts", 1.0, 8.0, {"nanogpt": wanted.nanogpt}
    )


def _overhead(wanted: Wanted, flops_per_second: float) -> list[Case]:
    found = []
    for label, own in ((wanted.models[0], ()), ("a small step", SMALL_STEP)):
        words = (f"model={wanted.models[0]}", *wanted.words, *own, f"trainer.precision={wanted.precisions[0]}")
        config = _config(words)
        seconds = _step_seconds(config, flops_per_second)
        title = f"the Trainer around a step, {label}, {_shape(config)}"
        found.append(Case("overhead", title, ("lab", "bare"), words, "steps", 1.0, seconds))
    return found
