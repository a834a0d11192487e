"""Which part each moment of a step belongs to, from the operations that torch's profiler has seen."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lab.profiling.parts import OPTIMIZER, PARTS, REST
from lab.profiling.ranges import PREFIX, STEP

_BACKWARD = "autograd::engine::evaluate_function: "
_OPTIMIZER = ("Optimizer.step#", "Optimizer.zero_grad#")


def seconds_by_part(events: Iterable[Any], on_gpu: bool = False) -> dict[str, float]:
    """Seconds of each part in all ranges called ``STEP`` among ``events`` (``torch.profiler.profile.events()``).

    An operation's own time, without that of the operations in it, goes to the innermost part it stands in. One of the
    backward pass goes to the part whose forward operation it is the gradient of. ``on_gpu``: the time of its kernels,
    instead of that of the processor.
    """
    ordered = sorted(events, key=lambda event: event.time_range.start)
    parts: dict[int, str | None] = {}
    origins: dict[tuple[int, int], str] = {}
    found = dict.fromkeys(PARTS, 0.0)
    for event in ordered:  # parents come before their children
        parts[event.id] = name = _part(event, parts, origins)
        if name is None:
            continue
        if event.sequence_nr >= 0 and not event.name.startswith(_BACKWARD):
            # Of several operations under one number, the last to begin is the one that autograd has kept.
            origins[event.thread, event.sequence_nr] = name
        found[name] += (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e6
    return found


def _part(event: Any, parts: dict[int, str | None], origins: dict[tuple[int, int], str]) -> str | None:
    """The part of an event; None outside all steps."""
    above = parts.get(event.cpu_parent.id) if event.cpu_parent is not None else None
    if event.name.startswith(PREFIX):
        return str(event.name.removeprefix(PREFIX))
    if event.name == STEP:
        return REST
    if event.name.startswith(_BACKWARD):
        thread = event.fwd_thread if event.fwd_thread is not None else event.thread
        return origins.get((thread, event.sequence_nr), above or REST)
    if above is not None and event.name.startswith(_OPTIMIZER):
        return OPTIMIZER
    return above


def step_seconds(events: Iterable[Any]) -> list[float]:
    """How long each step took, by the ranges around them."""
    found: dict[str, list[float]] = defaultdict(list)
    for event in events:
        found[event.name].append(event.time_range.elapsed_us() / 1e6)
    return found[STEP]
