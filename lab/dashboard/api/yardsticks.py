"""What a run's curves are to be read against: levels of the loss, and the step from which validation rises."""

import math
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from lab.dashboard.api.dependencies import JobsDep, RunsDep
from lab.dashboard.schemas import Model, Number
from lab.dashboard.trainings.judged import judge, setting_of
from lab.runs.state import ALIVE
from lab.runs.turning_point import rises_since
from lab.runs.yardsticks import Yardsticks, read_yardsticks

router = APIRouter(prefix="/api", tags=["runs"])

Name = Literal["guessing", "single_tokens", "best_possible"]

_WORDS: dict[Name, tuple[str, str]] = {
    "guessing": ("guessing", "the logarithm of the size of the vocabulary: each token as likely as any other"),
    "single_tokens": (
        "counting single tokens",
        "the validation text scored by how often each token stands in the training text: what lies below knows order",
    ),
    "best_possible": ("best possible", "the information in the validation text, for a model that knows the grammar"),
}


class Level(Model):
    """A horizontal line in the charts of the loss."""

    name: Name
    label: str
    meaning: str = Field(description="What it is computed from.")
    loss: Number = Field(description="Nats a token.")
    bits_per_byte: Number | None = Field(description="Null before the first evaluation.")


class Judged(Model):
    """An alert that nobody told while the run trained."""

    what: str = Field(description="A kind of lab/alerts/alert.py.")
    step: int = Field(description="Where it can be told.")
    since: int = Field(description="Where it began.")
    message: str
    advice: str = Field(description="What to try.")


class Readings(Model):
    """How a run's curves are to be read."""

    run: str
    levels: list[Level] = Field(description="The highest first; those that are known.")
    rises_since: int | None = Field(
        description="The step of the lowest validation loss, once later evaluations lie clearly above it; else null."
    )
    training_tokens: int | None = Field(description="Of the text that is trained on: what one pass passes over.")
    alerts: list[Judged] = Field(
        description="What its figures are alarming for, of a run that has ended and whose log tells of no alert."
    )


@router.get("/runs/{run_id}/readings")
def get_readings(runs: RunsDep, jobs: JobsDep, run_id: str) -> Readings:
    """What the loss is to be held against, and where validation turns upwards."""
    folder = runs.folder(run_id)
    with runs.tails.lock:
        tail = runs.tails.get(folder)
        steps, losses, _ = tail.points("val_loss")
        _, bits, _ = tail.points("val_bits_per_byte")
        # Of a run from before it kept a file of them: the floor stands in the log, beside the evaluations.
        floor = tail.latest("floor_loss")
        told = any(event["kind"] == "alert" for event in tail.others)
        curves = {} if told else {name: tail.points(name)[:2] for name in ("train_loss", "grad_norm", "val_loss")}
        last = tail.step
    results = runs.results(folder)
    found = read_yardsticks(folder, {**results, "floor_loss": results.get("floor_loss") or floor})
    model = runs.config(folder).get("model") or {}
    setting = None
    if curves and jobs.state(folder).state not in ALIVE:
        total = results.get("total_steps")
        setting = setting_of(runs.config(folder), total if type(total) is int else last, found)
    judged = judge(setting, {name: (x.tolist(), y.tolist()) for name, (x, y) in curves.items()}) if setting else []
    guessing = found.guessing_loss or _ln(model.get("vocab_size"))
    return Readings(
        run=run_id,
        levels=_levels(found, guessing, _bits_a_nat(losses, bits)),
        rises_since=rises_since(steps.tolist(), losses.tolist()),
        training_tokens=found.training_tokens,
        alerts=[Judged(step=step, **asdict(alert)) for step, alert in judged],
    )


def _levels(found: Yardsticks, guessing: float | None, bits_a_nat: float | None) -> list[Level]:
    known: dict[Name, float | None] = {
        "guessing": guessing,
        "single_tokens": found.unigram_val_loss,
        "best_possible": found.floor_loss,
    }
    levels = []
    for name, loss in known.items():
        if loss is not None:
            label, meaning = _WORDS[name]
            bits = None if bits_a_nat is None else loss * bits_a_nat
            levels.append(Level(name=name, label=label, meaning=meaning, loss=loss, bits_per_byte=bits))
    return sorted(levels, key=lambda level: float(level.loss), reverse=True)


def _ln(vocab_size: Any) -> float | None:
    return math.log(vocab_size) if type(vocab_size) is int and vocab_size > 0 else None


def _bits_a_nat(losses: np.ndarray, bits: np.ndarray) -> float | None:
    """Bits for each byte of the validation text that a nat for each of its tokens is: the same at every evaluation."""
    if len(losses) != len(bits):
        return None
    sound = np.isfinite(losses) & np.isfinite(bits) & (losses > 0)
    return float(bits[sound][-1] / losses[sound][-1]) if sound.any() else None
