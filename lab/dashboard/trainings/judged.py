"""What the figures of a run are alarming for, where its log tells of no alert: it was trained before there were any.
The detectors see what stands in the log, as they would have while it trained."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from lab.alerts.alert import Alert, Setting
from lab.alerts.watch import Watch
from lab.config.optimizer_schema import KNOWN, OptimizerConfig
from lab.config.plan import usual_warmup
from lab.optim import usual_rates
from lab.runs.yardsticks import Yardsticks

_MOST_POINTS = 5000
"""Of a longer log, every second point is looked at, or every third: a run writes some thousand by itself."""

Curve = tuple[list[int], list[float]]
"""Steps and values."""


def judge(setting: Setting, curves: Mapping[str, Curve]) -> list[tuple[int, Alert]]:
    """The alerts, each with the step at which it would have been told.

    Args:
        setting: what was known of the run before its first figure.
        curves: by name: ``train_loss``, ``grad_norm``, ``val_loss``.
    """
    watch, step, found = Watch(setting), 0, []
    for step, figures in _in_order(curves):
        found += [(step, alert) for alert in watch.see(step, figures)]
    return found + [(step, alert) for alert in watch.end()]


def _in_order(curves: Mapping[str, Curve]) -> Iterator[tuple[int, dict[str, float]]]:
    """The points in the order in which a run writes them: an evaluation comes after the step that it is of."""
    training: dict[int, dict[str, float]] = {}
    for name in ("train_loss", "grad_norm"):
        for step, value in zip(*curves[name], strict=True):
            training.setdefault(step, {})[name] = value
    kept = sorted(training)[:: 1 + len(training) // _MOST_POINTS]
    evaluated = dict(zip(*curves["val_loss"], strict=True))
    points = [(step, 0, training[step]) for step in kept]
    points += [(step, 1, {"val_loss": loss}) for step, loss in evaluated.items()]
    for step, _, figures in sorted(points, key=lambda point: point[:2]):
        yield step, figures


def setting_of(config: Mapping[str, Any], total_steps: int, levels: Yardsticks) -> Setting | None:
    """What was known of a run before its first figure, from its folder; None where its options do not say enough.

    Args:
        config: its ``config.yaml``.
        total_steps: of the whole run.
        levels: what its loss is to be held against.
    """
    try:
        model, data, trainer, optimizer = (config[name] for name in ("model", "data", "trainer", "optimizer"))
        schedule = config.get("schedule") or {}
        processes = int(trainer.get("devices") or 1) * int(trainer.get("num_nodes") or 1)
        windows = int(data["batch_size"]) * int(trainer.get("accumulate_grad_batches") or 1) * processes
        context, warmup = int(model["context_length"]), schedule.get("warmup_steps")
        clip, known = trainer.get("gradient_clip_val"), levels.training_tokens
        return Setting(
            vocab_size=int(model["vocab_size"]),
            tokens_per_step=windows * context,
            windows_per_step=windows,
            warmup_steps=usual_warmup(schedule.get("total_steps") or total_steps) if warmup is None else warmup,
            lr=float(optimizer["lr"]),
            clip=None if clip is None else float(clip),
            by_heart=known is not None and (known - 1) // context <= windows,
            yardstick=levels.unigram_train_loss,
            rates=_usual(optimizer, int(model["emb_dim"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # somebody has written something else into the run's config.yaml


def _usual(options: Mapping[str, Any], emb_dim: int) -> tuple[float, float] | None:
    """The usual rates of the optimizer of these options."""
    for kind in KNOWN:
        if options.get("_target_") == kind._target_:
            fields = {field.name for field in dataclasses.fields(kind)}
            made: OptimizerConfig = kind(**{name: value for name, value in options.items() if name in fields})
            return usual_rates.of(made, emb_dim)
    return None
