"""What came out of a run: ``results.json`` in its folder, written at its end, read by whoever compares runs."""

import contextlib
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.files import atomic, strict_json
from lab.files.run_files import RESULTS_FILE
from lab.files.validation import Kind, Unfit, number, parts, plain, table, text, whole
from lab.system import ranks


@dataclass(frozen=True)
class Results:
    """The outcome of a run. Losses are in nats a token: those of validation over the whole validation text, that of
    training over the batch of its step. None stands for what is not known: it was never measured, or an older version
    has written the file, or somebody has damaged it.

    The order is that of the file.
    """

    status: Literal["finished", "interrupted"] | None = None
    """Did it come to its end? That of a run that was stopped early by one of its own callbacks counts, too."""
    reason: str | None = None
    """What has interrupted it, for a person to read."""
    train_loss: float | None = None
    """At the last written point."""
    train_step: int | None = None
    """The step of ``train_loss``."""
    val_loss: float | None = None
    """Of the latest validation."""
    val_step: int | None = None
    """The step of ``val_loss``, ``perplexity`` and ``bits_per_byte``."""
    best_val_loss: float | None = None
    """The lowest validation loss of all parts of the run."""
    best_step: int | None = None
    """The step of ``best_val_loss``."""
    perplexity: float | None = None
    """exp(val_loss); infinite where that is too large for a float."""
    bits_per_byte: float | None = None
    """The loss of the latest validation in bits, for each byte of the text in UTF-8."""
    unigram_val_loss: float | None = None
    """What counting single tokens reaches on the validation text, without any network: the level to beat."""
    unigram_train_loss: float | None = None
    """The same on the training text."""
    floor_loss: float | None = None
    """The least loss that is possible on the validation text, where that is known (see ``lab.training.floor``)."""
    floor_bits_per_byte: float | None = None
    """The same in bits, for each byte."""
    tokens_seen: int | None = None
    """Tokens trained on, in all parts of the run, each as often as it was seen."""
    tokens_per_second: float | None = None
    """In training, evaluations not counted; of the process that has written the file."""
    steps: int | None = None
    """Finished optimizer steps, of all parts of the run."""
    total_steps: int | None = None
    """Optimizer steps that were planned."""
    seconds: float | None = None
    """Of all parts of the run, evaluations included."""
    parent: str | None = None
    """The path of the checkpoint that it was continued from."""
    model: dict[str, Any] | None = None
    """The options of the model: the fields of ``lab.model.GPTConfig``."""
    corpus: dict[str, Any] | None = None
    """name; fingerprint (of the tokens); n_tokens; documents, files, bytes (how many); left_out (names, by kind)."""
    parts: dict[str, Any] | None = None
    """Of a mixture, by name: passes (over its training windows), bits_per_byte (of its validation text)."""
    parameters: int | None = None
    """Of the model, each shared one counted once."""
    seed: int | None = None
    """That of everything random."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of all that could make a difference between two runs, by package."""
    git_revision: str | None = None
    """The commit of the code, with ``-dirty`` if there were uncommitted changes; None outside a clone."""


def _or_named(kind: Kind) -> Kind:
    """A number, or the name of one that JSON has no word for."""
    return lambda value, where: kind(strict_json.number(value), where)


def _status(value: Any, where: str) -> str:
    if value not in ("finished", "interrupted"):
        raise Unfit(f"{where} is no status")
    return str(value)


_LOSS = _or_named(number(0, infinite=True))
_AMOUNT = number(0)
_OPTIONS = parts({}, others=plain)

_KINDS: Mapping[str, Kind] = {
    "status": _status,
    **dict.fromkeys(("reason", "parent", "git_revision"), text()),
    **dict.fromkeys(("train_loss", "val_loss", "best_val_loss", "perplexity", "bits_per_byte"), _LOSS),
    **dict.fromkeys(("unigram_val_loss", "unigram_train_loss", "floor_loss", "floor_bits_per_byte"), _LOSS),
    **dict.fromkeys(("train_step", "val_step", "best_step", "steps", "total_steps"), whole()),
    **dict.fromkeys(("tokens_seen", "parameters", "seed"), whole()),
    **dict.fromkeys(("tokens_per_second", "seconds"), _AMOUNT),
    **dict.fromkeys(("model", "corpus", "parts"), _OPTIONS),
    "versions": table(text()),
}


def write_results(folder: Path, results: Results) -> None:
    """The outcome, as ``results.json``; by the first of the run's processes."""
    if not ranks.is_first():
        return
    atomic.write_json(folder / RESULTS_FILE, dataclasses.asdict(results))


def read_results(folder: Path) -> Results:
    """The outcome of the run in ``folder``; nothing but an infinite loss if it did not come to one."""
    found = Results()
    with contextlib.suppress(OSError, ValueError):
        found = checked(strict_json.loads((folder / RESULTS_FILE).read_text(encoding="utf-8")))
    return found if found.best_val_loss is not None else dataclasses.replace(found, best_val_loss=math.inf)


def checked(told: Any) -> Results:
    """What a file says, as far as it is what it must be; a field that is something else is not known."""
    found = {}
    for name, kind in _KINDS.items():
        if isinstance(told, dict) and told.get(name) is not None:
            with contextlib.suppress(Unfit):
                found[name] = kind(told[name], name)
    return Results(**found)
