"""Run folders with given curves, as a run would have left them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.runs.events import EventLog
from lab.runs.state import write_state

LN2 = 0.6931471805599453


def write_run(
    folder: Path,
    losses: Sequence[float],
    *,
    seed: int = 1,
    options: dict[str, Any] | None = None,
    tokens: Sequence[float] | None = None,
    seconds: Sequence[float] | None = None,
    corpus: dict[str, Any] | None = None,
    status: str = "finished",
) -> Path:
    """A run with an evaluation at steps 0, 10, 20, ... of these losses (nats a token; four bytes a token), 100 tokens,
    1000 FLOPs and a second a step unless said otherwise."""
    folder.mkdir(parents=True)
    known = {"seed": seed, "optimizer": {"lr": 1e-3}, "data": {"val_fraction": 0.1}, "save": False}
    (folder / "config.yaml").write_text(yaml.safe_dump(known | (options or {})))
    log = EventLog(folder)
    for place, loss in enumerate(losses):
        log.metrics(10 * place, {"val_loss": loss, "val_bits_per_byte": loss / LN2 / 4})
        spent = {"spent_tokens": tokens[place] if tokens else 1000.0 * place}
        spent |= {"spent_flops": 1e4 * place, "spent_seconds": seconds[place] if seconds else 10.0 * place}
        log.metrics(10 * place, spent | {"spent_processor_seconds": 15.0 * place})
    log.state(10 * (len(losses) - 1), "finished")
    log.close()
    told = corpus or {"name": "fables", "fingerprint": "f", "bytes": 9, "documents": 1}
    results = {"status": status, "train_loss": 1.0, "versions": {}, "corpus": told}
    (folder / "results.json").write_text(json.dumps(results))
    write_state(folder, "finished", step=10 * (len(losses) - 1))
    return folder
