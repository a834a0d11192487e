"""The arithmetic of a run, done once, before it starts: how many steps, of how many tokens, and what happens when."""

import math
from dataclasses import dataclass
from typing import Any

from lab.config.schema import Config
from lab.errors import LabError


@dataclass(frozen=True)
class Plan:
    """What the options and the size of the corpus come to. Steps are optimizer steps."""

    total_steps: int
    tokens_per_step: int
    windows_per_step: int
    n_windows: int
    """Training windows in an epoch."""
    warmup_steps: int
    schedule_steps: int
    """Where the schedule's descent ends: the length of the run, unless schedule.total_steps says otherwise."""
    eval_every: int
    log_every: int

    @property
    def epochs(self) -> float:
        """Passes over the training windows."""
        return self.total_steps * self.windows_per_step / self.n_windows


def usual_warmup(schedule_steps: int) -> int:
    """Steps of warmup, where nobody says how many: a tenth of those that the schedule is made for, 100 at most."""
    return min(100, schedule_steps // 10)


def make_plan(config: Config, n_windows: int, earlier: dict[str, Any] | None = None) -> Plan:
    """The plan for ``n_windows`` training windows. Intervals left open shrink with the run, so that three steps are a
    complete little run with evaluations and logged points.

    ``earlier`` is the plan (as a dict) of a run that is continued. A prolonged run keeps the learning rates that it was
    planned with; its evaluations and points, where the options leave them open, suit its new length: those of twenty
    steps would have 1,512 evaluated every second step.
    """
    trainer = config.trainer
    windows_per_step = config.data.batch_size * trainer.accumulate_grad_batches * trainer.processes
    total = trainer.max_steps or max(1, math.ceil(trainer.max_epochs * n_windows / windows_per_step))
    kept = earlier or {}
    schedule_steps = config.schedule.total_steps or kept.get("schedule_steps", total)
    warmup_steps = config.schedule.warmup_steps
    if warmup_steps is None:
        warmup_steps = kept.get("warmup_steps", usual_warmup(config.schedule.total_steps or total))
    return Plan(
        total_steps=total,
        tokens_per_step=windows_per_step * config.model.context_length,
        windows_per_step=windows_per_step,
        n_windows=n_windows,
        warmup_steps=warmup_steps,
        schedule_steps=schedule_steps,
        eval_every=config.eval_every or min(500, math.ceil(total / 10)),
        log_every=config.log_every or math.ceil(total / 1000),
    )


def refuse_senseless(config: Config, plan: Plan) -> None:
    """Refuses what only the size of the corpus and the length of the run show to be senseless.

    Raises:
        LabError: naming the option.
    """
    if config.data.batch_size > plan.n_windows:
        raise LabError(
            f"data.batch_size={config.data.batch_size} is more than the {plan.n_windows:,} windows that there are to "
            "train on: take at most as many, or a longer text"
        )
    # One that was left open and is kept from the run that is continued says nothing that anybody has typed.
    if config.schedule.warmup_steps is not None and plan.warmup_steps > plan.schedule_steps:
        raise LabError(
            f"schedule.warmup_steps={plan.warmup_steps} is longer than the schedule of {plan.schedule_steps:,} steps, "
            "and the learning rate would never reach its peak: take fewer, or a larger trainer.max_steps"
        )
