"""How large a step to take when: the learning rate over a run.

Each schedule is a pure function from the number of finished optimizer steps to a factor on the peak learning rate.
A function can be plotted, tested at any step and started in the middle of a run; an object that counts along can't.
"""

import math
from collections.abc import Callable
from functools import partial

from lab.config.plan import Plan
from lab.config.schema import Config, ScheduleName
from lab.errors import LabError
from lab.files import user_code

Schedule = Callable[[int], float]
"""Finished optimizer steps to a factor on the learning rate, 0 to 1."""


def warmup(step: int, warmup_steps: int) -> float:
    """Rises linearly to 1 over ``warmup_steps``.

    Adam divides by a running estimate of the gradient's size. In the first steps that estimate rests on a handful of
    batches, and a full-sized step in a badly known direction can spoil a fresh network for good.
    """
    return min(1.0, (step + 1) / warmup_steps) if warmup_steps > 0 else 1.0


def constant(step: int, *, warmup_steps: int) -> float:
    """Warmup, then the peak rate to the end."""
    return warmup(step, warmup_steps)


def cosine(step: int, *, warmup_steps: int, total_steps: int, min_lr_ratio: float) -> float:
    """Warmup, then half a cosine wave down to ``min_lr_ratio`` at ``total_steps``, and that ratio from there on.

    Long strides while there is far to go, ever shorter ones to settle; the wave spends little time in between.
    Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, without the restarts.
    """
    if step >= total_steps:
        return min_lr_ratio
    if step < warmup_steps:
        return warmup(step, warmup_steps)
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr_ratio + (1 - min_lr_ratio) * 0.5 * (1 + math.cos(math.pi * progress))


def warmup_stable_decay(
    step: int, *, warmup_steps: int, total_steps: int, min_lr_ratio: float, decay_fraction: float
) -> float:
    """Warmup, the peak rate for most of the run, then a straight line down over the last ``decay_fraction``.

    Unlike the cosine's, its long middle does not depend on ``total_steps``: a run can be prolonged from there without
    having been too timid before. Hu et al. 2024, section 4, https://arxiv.org/abs/2404.06395.
    """
    decay_steps = max(1, round(decay_fraction * total_steps))
    if step < total_steps - decay_steps:
        return warmup(step, warmup_steps)
    progress = min(1.0, (step - (total_steps - decay_steps)) / decay_steps)
    return min(warmup(step, warmup_steps), 1 - (1 - min_lr_ratio) * progress)


def own(step: int, *, reference: str, total_steps: int, warmup_steps: int) -> float:
    """The factor of a function of the user's own, which is asked as ``function(step, total_steps, warmup_steps)``.

    Raises:
        LabError: if it fails, or says something else than a number from 0 up.
    """
    function = user_code.load("schedule.name", reference)
    try:
        factor = float(function(step, total_steps, warmup_steps))
    except Exception as error:
        raise LabError(f"schedule.name={reference} fails at step {step} ({user_code.where(error)})") from error
    if not (math.isfinite(factor) and factor >= 0):
        raise LabError(f"schedule.name={reference} says {factor} at step {step}, and must say a number from 0 up")
    return factor


def make_schedule(config: Config, plan: Plan) -> Schedule:
    """The learning rate's factor as a function of the finished optimizer steps.

    Raises:
        LabError: if it is a function of the user's own, and none for the first and the last step.
    """
    schedule = config.schedule
    if user_code.is_reference(schedule.name):
        theirs = partial(own, reference=schedule.name, total_steps=plan.schedule_steps, warmup_steps=plan.warmup_steps)
        theirs(0), theirs(plan.total_steps)
        return theirs
    if schedule.name == ScheduleName.constant:
        return partial(constant, warmup_steps=plan.warmup_steps)
    shape: Callable[..., float] = cosine
    if schedule.name == ScheduleName.wsd:
        shape = partial(warmup_stable_decay, decay_fraction=schedule.decay_fraction)
    return partial(
        shape,
        warmup_steps=plan.warmup_steps,
        total_steps=plan.schedule_steps,
        min_lr_ratio=schedule.min_lr_ratio,
    )
