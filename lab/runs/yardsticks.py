"""What a validation loss is to be held against: ``yardsticks.json`` in a run's folder, written when the run begins, so
that its curve can be read while it grows."""

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.files import atomic
from lab.files.run_files import YARDSTICKS_FILE
from lab.files.safe_files import read_json
from lab.files.validation import Kind, Unfit, number, whole
from lab.system import ranks


@dataclass(frozen=True)
class Yardsticks:
    """Levels of the loss, nats a token. None stands for what is not known: of a mixture, say, or of an older run."""

    guessing_loss: float | None = None
    """ln(vocab_size): each token as likely as any other."""
    unigram_val_loss: float | None = None
    """What counting single tokens reaches on the validation text, without any network: the level to beat."""
    unigram_train_loss: float | None = None
    """The same on the training text."""
    floor_loss: float | None = None
    """The least loss that is possible on the validation text (see ``lab.training.floor``)."""
    floor_bits_per_byte: float | None = None
    """The same in bits, for each byte."""
    training_tokens: int | None = None
    """Tokens of the text that is trained on: what one pass passes over."""


_LEVEL = number(0)
_KINDS: dict[str, Kind] = {
    **{field.name: _LEVEL for field in dataclasses.fields(Yardsticks)},
    "training_tokens": whole(),
}


def write_yardsticks(folder: Path, found: Yardsticks) -> None:
    """Keeps them in the run's folder; by the first of the run's processes."""
    if ranks.is_first():
        atomic.write_json(folder / YARDSTICKS_FILE, dataclasses.asdict(found))


def read_yardsticks(folder: Path, results: dict[str, Any]) -> Yardsticks:
    """Those of the run in ``folder``; of one that has left none, as far as its ``results`` tell them. A field that is
    not what it must be is not known."""
    found: dict[str, Any] = {}
    for told in (results, read_json(folder / YARDSTICKS_FILE)):
        for name, kind in _KINDS.items():
            if told.get(name) is not None:
                with contextlib.suppress(Unfit):
                    found[name] = kind(told[name], name)
    return Yardsticks(**found)
