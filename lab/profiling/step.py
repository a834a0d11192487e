"""Takes a few steps of a training under torch's profiler, in the lab's own Trainer, and times its products alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.profiler import ProfilerActivity, profile, record_function

from lab.config.plan import make_plan
from lab.config.schema import Config
from lab.profiling import ranges
from lab.profiling.attribution import seconds_by_part, step_seconds
from lab.profiling.parts import BLOCKS, FEED_FORWARD, HEAD, NORMS, PARTS, PROJECTIONS, SCORES, flops_by_part
from lab.profiling.products import Runner, number_format, products_of
from lab.system.device import torch_device
from lab.system.malloc import keep_freed_memory
from lab.training import library_warnings
from lab.training.preparation import prepare
from lab.training.trainer import make_module, make_trainer

WARM_UP = 3
"""Steps before any is timed: memory is asked for in them, and code compiled."""


@dataclass(frozen=True)
class PartProfile:
    """A part of an optimizer step."""

    part: str
    seconds: float
    """In a step, on average."""
    share: float
    """Of the step."""
    flops: int
    """Floating-point operations in a step; 0: counted as none."""
    products: float | None
    """Seconds that its matrix products take alone; None if it has none."""


@dataclass(frozen=True)
class StepProfile:
    """Where the time of an optimizer step goes."""

    parts: list[PartProfile]
    seconds: float
    """Of a step under the profiler, on average: what the parts add up to."""
    plain_seconds: float
    """Of a step without it, the median."""
    tokens: int
    """In a step."""
    precision: str
    compiled: bool
    device: str
    products: float
    """Seconds that all matrix products of a step take alone."""

    @property
    def flops(self) -> int:
        """Floating-point operations of a step."""
        return sum(one.flops for one in self.parts)

    @property
    def peak(self) -> float:
        """Floating-point operations a second that the products alone come to."""
        products = sum(one.flops for one in self.parts if one.products is not None)
        return products / self.products


def profile_step(config: Config, n_steps: int, folder: Path, start_folder: Path, trace: Path | None) -> StepProfile:
    """Profiles ``n_steps`` optimizer steps of the training of ``config``.

    Args:
        config: the options. What a run writes, evaluates and shows is left out.
        n_steps: steps under the profiler; as many are timed without it before.
        folder: an empty one, for what a training needs to write.
        start_folder: the folder that paths in the options are relative to.
        trace: a file for the operations one by one, as Perfetto shows them.

    Raises:
        LabError: if the options cannot be trained with.
        OSError: if the trace cannot be written.
    """
    keep_freed_memory()
    _leave_out_what_is_no_step(config)
    run = prepare(config, folder, start_folder)
    config.log_every = run.plan.log_every  # as often as in the whole run
    config.trainer.max_steps = config.eval_every = 2 * n_steps + WARM_UP + 2
    run = replace(run, plan=make_plan(config, run.plan.n_windows))
    L.seed_everything(config.seed, verbose=False)
    module = make_module(run)
    ranges.mark(module, run.data, config.trainer.compile)
    watch = _Watch(n_steps, run.device)
    trainer = make_trainer(run, [], [watch])
    precision = str(trainer.precision)
    trainer.num_sanity_val_steps = 0
    with library_warnings.as_lines():
        trainer.fit(module, run.data)
    assert watch.profiler is not None
    events = list(watch.profiler.events() or [])
    if trace is not None:
        watch.profiler.export_chrome_trace(str(trace))
    steps = step_seconds(events)
    found = {part: s / len(steps) for part, s in seconds_by_part(events, run.device == "gpu").items()}
    accumulated = config.trainer.accumulate_grad_batches
    products = products_of(config.model, config.data.batch_size)
    runner = Runner(products, number_format(precision), torch_device(run.device))
    return _put_together(
        config,
        found,
        seconds=sum(steps) / len(steps),
        plain=sorted(watch.plain)[len(watch.plain) // 2],
        alone=lambda part: accumulated * runner.seconds(part),
        about=(precision, run.device),
    )


def _leave_out_what_is_no_step(config: Config) -> None:
    config.logger, config.callbacks, config.metrics = {}, {}, {}
    config.sample.max_tokens = 0
    config.save, config.save_every, config.snapshots = False, None, None


def _put_together(
    config: Config,
    found: dict[str, float],
    *,
    seconds: float,
    plain: float,
    alone: Callable[[str | None], float],
    about: tuple[str, str],
) -> StepProfile:
    trainer, shape = config.trainer, config.model
    tokens = config.data.batch_size * trainer.accumulate_grad_batches * shape.context_length
    flops = {part: tokens * number for part, number in flops_by_part(shape).items()}
    timed = [PROJECTIONS, SCORES, FEED_FORWARD, HEAD]
    products: dict[str, float] = {part: alone(part) for part in timed}
    if trainer.compile:  # what is inside of a compiled block cannot be told apart
        inside = (NORMS, PROJECTIONS, SCORES, FEED_FORWARD)
        products[BLOCKS] = sum(products.pop(part) for part in inside if part in products)
        flops[BLOCKS] = sum(flops[part] for part in inside)
        flops.update(dict.fromkeys(inside, 0))
    parts = [
        PartProfile(part, found[part], found[part] / seconds, flops[part], products.get(part))
        for part in PARTS
        if found[part] or flops[part]
    ]
    precision, device = about
    return StepProfile(parts, seconds, plain, tokens, precision, trainer.compile, device, alone(None))


class _Watch(L.Callback):
    """Times some steps, then has as many watched by the profiler, then ends the training. A step is what lies between
    the beginnings of two: the next batch is cut in it, too."""

    def __init__(self, n_steps: int, device: str) -> None:
        self.n_steps, self.device = n_steps, device
        self.plain: list[float] = []
        self.profiler: profile | None = None
        self._last = -1
        self._began = 0.0
        self._range: Any = None

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        step = trainer.global_step
        if step == self._last:  # another micro-batch of the same step
            return
        self._last = step
        if self.device == "gpu":
            torch.cuda.synchronize()
        now = time.perf_counter()
        if WARM_UP < step <= WARM_UP + self.n_steps:
            self.plain.append(now - self._began)
        if self._range is not None:
            self._range.__exit__(None, None, None)
            self._range = None
        if step == WARM_UP + self.n_steps:
            activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self.device == "gpu" else [])]
            self.profiler = profile(activities=activities)
            self.profiler.__enter__()
        if step == WARM_UP + 2 * self.n_steps:
            assert self.profiler is not None
            self.profiler.__exit__(None, None, None)
            trainer.should_stop = True
        elif self.profiler is not None and not trainer.should_stop:
            self._range = record_function(ranges.STEP)
            self._range.__enter__()
        self._began = time.perf_counter()
