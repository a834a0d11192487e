"""Which part an operation belongs to: of the forward pass by where it stands, of the backward pass by its number."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile, record_function

from lab.profiling.attribution import seconds_by_part, step_seconds
from lab.profiling.parts import FEED_FORWARD, HEAD, NORMS, OPTIMIZER, REST
from lab.profiling.ranges import STEP, part

_BACKWARD = "autograd::engine::evaluate_function: "
_numbers = count()


def event(name: str, own: float, parent: Any = None, number: int = -1, **more: Any) -> Any:
    """An operation as the profiler tells it: its own seconds, what it stands in, and autograd's number."""
    place = next(_numbers)
    given = {"cpu_parent": parent, "sequence_nr": number, "thread": 1, "fwd_thread": None, **more}
    span = SimpleNamespace(start=place, elapsed_us=lambda: 1e6)
    return SimpleNamespace(
        id=place, name=name, time_range=span, self_cpu_time_total=1e6 * own, self_device_time_total=0.0, **given
    )


def test_each_operation_is_told_of_the_innermost_part() -> None:
    step = event(STEP, 1)
    head = event(f"part: {HEAD}", 2, step)
    norm = event(f"part: {NORMS}", 4, head)
    rows = [step, head, norm, event("aten::add", 8, norm, 1), event("aten::mm", 16, head, 2)]
    stepped = event("Optimizer.step#AdamW.step", 32, step)
    rows += [stepped, event("aten::_fused_adamw_", 64, stepped), event("aten::add", 128)]
    found = seconds_by_part(reversed(rows))
    assert {name: seconds for name, seconds in found.items() if seconds} == {
        REST: 1,
        HEAD: 2 + 16,
        NORMS: 4 + 8,
        OPTIMIZER: 32 + 64,
    }
    assert step_seconds(rows) == [1.0]


def test_a_gradient_is_told_of_the_part_that_it_is_the_gradient_of() -> None:
    step = event(STEP, 0)
    norm = event(f"part: {NORMS}", 0, step)
    # Nothing is kept of this one; the next operation gets the same number, and is the one that it means.
    asked = event("aten::size", 0, norm, 7)
    network = event(f"part: {FEED_FORWARD}", 0, step)
    kept = event("aten::addmm", 0, network, 7)
    node = event(f"{_BACKWARD}AddmmBackward0", 1, step, 7, thread=2, fwd_thread=1)
    inner = event("aten::mm", 2, node, -1, thread=2)
    unknown = event(f"{_BACKWARD}AccumulateGrad", 4, step)
    found = seconds_by_part([step, norm, asked, network, kept, node, inner, unknown])
    assert (found[FEED_FORWARD], found[NORMS], found[REST]) == (3, 0, 4)


def test_the_profiler_of_this_torch_is_read_so() -> None:
    """Of what torch records itself, not a single gradient is lost."""
    weights = [torch.randn(64, 64, requires_grad=True) for _ in range(2)]
    x = torch.randn(32, 64)
    with profile(activities=[ProfilerActivity.CPU]) as seen, record_function(STEP):
        with part(NORMS):
            y = (x @ weights[0]).exp()
        with part(FEED_FORWARD):
            z = (y @ weights[1]).sin().sum()
        z.backward()
    events = list(seen.events() or [])
    found = seconds_by_part(events)
    nodes = {
        name: sum(one.cpu_time_total for one in events if one.name == f"{_BACKWARD}{name}") / 1e6
        for name in ("ExpBackward0", "SinBackward0", "SumBackward0", "MmBackward0")
    }
    assert all(nodes.values())
    assert found[NORMS] > nodes["ExpBackward0"]
    assert found[FEED_FORWARD] > nodes["SinBackward0"] + nodes["SumBackward0"]
    assert found[NORMS] + found[FEED_FORWARD] > sum(nodes.values())
    assert sum(found.values()) == pytest.approx(sum(step_seconds(events)), rel=0.05)
