"""What runs would cost on this machine: time, and memory."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psutil
from pydantic import Field

from lab.config.precision import resolved
from lab.config.schema import Config
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options.length import Planned
from lab.dashboard.options.request import Origin, RunRequest, compose, words
from lab.dashboard.schemas import Model, RunSummary, Value
from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.trainings.processes import Jobs, device_of
from lab.errors import LabError
from lab.parts.config import ModelConfig
from lab.parts.cost import flops_per_token
from lab.profiling.rate import Rate, step_seconds
from lab.runs.results import checked
from lab.system import memory
from lab.training import memory_estimate

_LOOKED_AT = 40
"""Runs whose options are read, of those that come nearest by their size."""
_ALIKE = 4.0
"""How many times more work a step may be for the same number of operations a second to be expected."""


_MOST_KINDS = 12
"""Runs of a sweep that are looked at one by one."""
_AS_DEAR = ("optimizer.", "schedule", "seed", "log_every", "logger", "callbacks", "keep", "if_save_fails")
"""Options that change next to nothing of what a run costs."""


class Memory(Model):
    """What a training takes of a device, and what there is."""

    device: str
    needed: int = Field(description="An estimate, in bytes, without the libraries.")
    free: int = Field(description="What it would find, in bytes, once the trainings of this server before it are over.")
    total: int
    fits: bool

    @property
    def sentence(self) -> str:
        """What is the matter if it does not fit."""
        return (
            f"this takes about {_size(self.needed)} of memory, and of the {_size(self.total)} of this {self.device} "
            f"{_size(self.free)} are free: take a smaller model, data.batch_size or model.context_length"
        )


@dataclass(frozen=True)
class Past:
    """How fast a run was."""

    run: RunSummary
    flops_per_second: float
    work: float
    """Floating-point operations of a micro-batch."""


def kinds(request: RunRequest, settings: Settings, origin: Origin | None) -> list[tuple[Config, int]]:
    """The options of the runs that are asked for, and how many each stands for: what changes neither time nor memory
    makes no other kind, and of many kinds some are taken for all.

    Raises:
        ApiError: naming the option that does not fit.
    """
    words(request, settings, origin)  # refuses too many, and none
    found: dict[tuple[object, ...], list[dict[str, Value]]] = {}
    for job in request.jobs():
        found.setdefault(tuple(job[key] for key in request.sweep if not key.startswith(_AS_DEAR)), []).append(job)
    groups = list(found.values())
    taken = groups[:: math.ceil(len(groups) / _MOST_KINDS)]
    share = request.runs / sum(map(len, taken))
    return [(compose(jobs[0], settings, origin).config, round(len(jobs) * share)) for jobs in taken]


def memory_of(configs: Iterable[Config], jobs: Jobs) -> Memory:
    """What the largest of these runs takes."""
    needs = []
    for config in configs:
        device = device_of(config.trainer.accelerator)
        sharing = int(config.trainer.devices) if device != "gpu" else 1
        needs.append((sharing * sum(memory_estimate.training_memory(config, device).values()), device))
    needed, device = max(needs)
    free, total = _there(device, jobs)
    return Memory(device=device, needed=needed, free=free, total=total, fits=needed <= free)


def _there(device: str, jobs: Jobs) -> tuple[int, int]:
    """The bytes that are free, or will be when the trainings before it have ended, and all there are."""
    before = [job for job in jobs.queue.jobs() if job.has_process]
    if device == "gpu" and (known := memory.of_gpu()):
        free, total = known
        return (total if any(device_of(job.device) == "gpu" for job in before) else free), total
    held = 0
    for job in before:
        try:
            process = psutil.Process(job.pid)
            held += sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
        except psutil.Error:  # it has just ended
            continue
    total = memory.total()
    return min(total, memory.free() + held), total


def work(config: Config) -> float:
    """Floating-point operations of a micro-batch."""
    return float(flops_per_token(config.model) * config.data.batch_size * config.model.context_length)


def flops(config: Config, planned: Planned, first_step: int) -> float:
    """Floating-point operations from ``first_step`` to the end: a token is evaluated for a third of what it takes to
    train on it."""
    plan = planned.plan
    steps = max(0, plan.total_steps - first_step)
    evaluated = (math.ceil(steps / plan.eval_every) + 1) * planned.n_val_tokens
    return flops_per_token(config.model) * (steps * plan.tokens_per_step + evaluated / 3)


def seconds_by_rate(config: Config, planned: Planned, first_step: int, rate: Rate) -> float:
    """The same in seconds, as fast as products were when they were measured."""
    plan, batch = planned.plan, config.data.batch_size
    micro_batches = max(0, plan.total_steps - first_step) * plan.windows_per_step / batch
    of_steps = flops(config, planned, first_step) / max(1.0, work(config))
    return max(micro_batches, of_steps) * step_seconds(config.model, batch, rate)


def nearest(config: Config, summaries: Iterable[RunSummary], runs: Runs) -> Past | None:
    """The run on the same device and in the same arithmetic that comes nearest to ``config`` in the work of its steps,
    if one comes near."""
    wanted, size = work(config), _guess(config)
    known = [run for run in summaries if run.parameters and run.tokens_per_step and run.tokens_per_second]
    known.sort(key=lambda run: (abs(math.log(run.parameters * run.tokens_per_step / size)), -run.created))  # type: ignore[operator]
    found = []
    for run in known[:_LOOKED_AT]:
        past = _past(run, runs, config)
        if past is not None and 1 / _ALIKE <= past.work / wanted <= _ALIKE:
            found.append(past)
    return min(found, key=lambda past: (round(abs(math.log(past.work / wanted)), 1), -past.run.created), default=None)


def _guess(config: Config) -> float:
    shape, trainer = config.model, config.trainer
    windows = config.data.batch_size * trainer.accumulate_grad_batches * trainer.processes
    inner = 12 * shape.n_layers * shape.emb_dim**2 + shape.vocab_size * shape.emb_dim
    return float(inner * windows * shape.context_length)


def _past(run: RunSummary, runs: Runs, config: Config) -> Past | None:
    """What a run says of itself; nothing if it was made otherwise than ``config`` would be, or is damaged."""
    try:
        folder = runs.folder(run.id)
        told: dict[str, Any] = runs.config(folder)
        trainer, model, ours = told["trainer"], ModelConfig(**told["model"]), config.trainer
        same = (
            device_of(trainer["accelerator"]) == device_of(ours.accelerator)
            and trainer["precision"] in (ours.precision, resolved(ours))
            and (bool(trainer["compile"]), trainer["devices"]) == (ours.compile, ours.devices)
        )
        rate = float(checked(runs.results(folder)).tokens_per_second or run.tokens_per_second or 0)
        each = flops_per_token(model)
        size = each * int(told["data"]["batch_size"]) * model.context_length
    except (ApiError, LabError, TypeError, ValueError, KeyError, ArithmeticError):
        return None
    return Past(run, each * rate, size) if same and size > 0 and 0 < rate < math.inf else None


def _size(size: int) -> str:
    return f"{size / 1e12:,.1f} TB" if size >= 1e12 else f"{size / 1e9:,.1f} GB"
