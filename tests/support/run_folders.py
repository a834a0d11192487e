"""Run folders with given curves, as a run would have left them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.runs.events import EventLog
from lab.runs.state import State, write_state
from lab.runs.yardsticks import Yardsticks, write_yardsticks

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


def write_curves(
    folder: Path,
    losses: Sequence[float],
    *,
    norms: Sequence[float] = (),
    evaluations: Mapping[int, float] | None = None,
    state: State = "finished",
) -> Path:
    """A small run that has logged these training losses, and lengths of gradients or 0.7, at steps 1, 2, ..., and these
    validation losses by step; it has told of no alert."""
    folder.mkdir(parents=True)
    model = {"vocab_size": 512, "context_length": 256, "emb_dim": 128, "n_layers": 1, "n_heads": 1}
    trainer = {"accumulate_grad_batches": 1, "devices": 1, "num_nodes": 1, "gradient_clip_val": 1.0}
    optimizer = {"_target_": "torch.optim.AdamW", "lr": 1e-3, "weight_decay": 0.1, "betas": [0.9, 0.95]}
    options = {"model": model, "trainer": trainer, "optimizer": optimizer, "data": {"batch_size": 4}}
    schedule = {"warmup_steps": 10}
    (folder / "config.yaml").write_text(yaml.safe_dump(options | {"schedule": schedule, "save": False}))
    log, known = EventLog(folder), evaluations or {}
    for step in range(len(losses) + 1):
        if step:
            norm = norms[step - 1] if norms else 0.7
            log.metrics(step, {"train_loss": losses[step - 1], "grad_norm": norm, "learning_rate": 1e-3})
        if step in known:
            log.metrics(step, {"val_loss": known[step], "val_bits_per_byte": known[step]})
    log.close()
    write_yardsticks(folder, Yardsticks(unigram_train_loss=5.2, training_tokens=50_000))
    write_state(folder, state, step=len(losses), total_steps=len(losses))
    return folder
