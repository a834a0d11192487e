"""Schedules against closed forms and torch's own schedulers; every parameter in its group."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

from lab.config.plan import Plan
from lab.config.schema import Config, ScheduleConfig
from lab.errors import LabError
from lab.files import user_code
from lab.model import GPTConfig, GPTModel
from lab.optim.parameter_groups import decay_groups
from lab.optim.schedules import constant, cosine, make_schedule, warmup, warmup_stable_decay

few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

steps = st.integers(0, 2000)
shares = st.floats(0, 1)


def cosine_everywhere(n: int, warm: int, total: int, floor: float) -> np.ndarray:
    step = np.arange(n, dtype=np.float64)
    descent = floor + (1 - floor) / 2 * (1 + np.cos(np.pi * np.clip((step - warm) / (total - warm), 0, 1)))
    return np.where(step < warm, (step + 1) / max(warm, 1), descent)


@few
@given(st.integers(0, 50), st.integers(1, 200), shares)
def test_cosine_is_its_closed_form(warm: int, descent: int, floor: float) -> None:
    total = warm + descent
    ours = [cosine(step, warmup_steps=warm, total_steps=total, min_lr_ratio=floor) for step in range(total + 10)]
    np.testing.assert_allclose(ours, cosine_everywhere(total + 10, warm, total, floor), rtol=1e-12, atol=1e-12)


@few
@given(st.integers(1, 300), st.integers(2, 1000), shares)
def test_cosine_has_no_jump(warm: int, descent: int, floor: float) -> None:
    """It arrives at 1 when the warmup ends and at the floor when the run does, and stays there."""
    total = warm + descent

    def at(step: int) -> float:
        return cosine(step, warmup_steps=warm, total_steps=total, min_lr_ratio=floor)

    assert at(warm - 1) == at(warm) == 1
    assert at(total) == at(total + 1) == at(10 * total) == pytest.approx(floor, abs=1e-12)
    steepest = (1 - floor) * math.pi / 2 / descent + 1e-12
    assert all(0 <= at(step) - at(step + 1) <= steepest for step in range(warm, total + 5))


def test_cosine_without_warmup_is_torchs() -> None:
    parameter = nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=70, eta_min=0.1)
    for step in range(71):
        ours = cosine(step, warmup_steps=0, total_steps=70, min_lr_ratio=0.1)
        assert ours == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        theirs.step()


@few
@given(steps, st.integers(0, 300), st.integers(1, 1500), shares, st.floats(0.001, 1))
def test_every_factor_lies_between_0_and_1(step: int, warm: int, total: int, floor: float, decay: float) -> None:
    shape: dict[str, Any] = {"warmup_steps": warm, "total_steps": total, "min_lr_ratio": floor}
    for factor in (
        warmup(step, warm),
        constant(step, warmup_steps=warm),
        cosine(step, **shape),
        warmup_stable_decay(step, **shape, decay_fraction=decay),
    ):
        assert 0 <= factor <= 1
    assert warmup(step, warm) > 0  # the first step must not be lost


def test_warmup_rises_in_equal_steps_to_1() -> None:
    assert [warmup(step, 4) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert [constant(step, warmup_steps=4) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert [warmup(step, 0) for step in range(3)] == [1, 1, 1]


def test_wsd_by_hand() -> None:
    ours = [
        warmup_stable_decay(step, warmup_steps=2, total_steps=20, min_lr_ratio=0.2, decay_fraction=0.2)
        for step in range(23)
    ]
    assert ours == pytest.approx([0.5] + [1.0] * 16 + [0.8, 0.6, 0.4] + [0.2] * 3)


@few
@given(st.integers(0, 30), st.integers(60, 400), shares, st.floats(0.01, 0.5))
def test_wsd_warms_up_stays_and_falls_in_a_straight_line(warm: int, total: int, floor: float, decay: float) -> None:
    def at(step: int) -> float:
        return warmup_stable_decay(step, warmup_steps=warm, total_steps=total, min_lr_ratio=floor, decay_fraction=decay)

    assume(0.01 < floor < 0.99)
    start = total - max(1, round(decay * total))
    assert all(at(step) == warmup(step, warm) for step in range(start))
    line = np.linspace(1, floor, total - start + 1)
    np.testing.assert_allclose([at(step) for step in range(start, total + 1)], line, rtol=1e-9)
    assert at(total + 100) == pytest.approx(floor)


@few
@given(st.integers(0, 20), st.integers(50, 200), st.integers(201, 500))
def test_the_long_middle_of_wsd_does_not_depend_on_the_length(warm: int, total: int, longer: int) -> None:
    for step in range(total // 2):
        short, long = (
            warmup_stable_decay(step, warmup_steps=warm, total_steps=n, min_lr_ratio=0.1, decay_fraction=0.2)
            for n in (total, longer)
        )
        assert short == long


@few
@given(st.integers(0, 60), st.integers(1, 60), shares, st.floats(0.01, 1))
def test_after_its_peak_no_schedule_rises_again(warm: int, total: int, floor: float, decay: float) -> None:
    assume(warm <= total)
    shape: dict[str, Any] = {"warmup_steps": warm, "total_steps": total, "min_lr_ratio": floor}
    for factors in (
        [cosine(step, **shape) for step in range(total + 20)],
        [warmup_stable_decay(step, **shape, decay_fraction=decay) for step in range(total + 20)],
    ):
        peak = factors.index(max(factors))
        assert all(b >= a - 1e-12 for a, b in pairwise(factors[: peak + 1]))
        assert all(b <= a + 1e-12 for a, b in pairwise(factors[peak:]))


@pytest.mark.parametrize("tied", [True, False])
def test_every_parameter_is_in_one_group(tied: bool) -> None:
    model = GPTModel(GPTConfig(16, 2, 2, 8, vocab_size=40, tie_embeddings=tied))
    decayed, free = decay_groups(model, 0.3)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.3, 0.0)
    assert all(parameter.dim() == 2 for parameter in decayed["params"])
    assert all(parameter.dim() == 1 for parameter in free["params"])
    grouped = [id(parameter) for group in (decayed, free) for parameter in group["params"]]
    assert len(grouped) == len(set(grouped))  # a tied weight once
    assert set(grouped) == {id(parameter) for parameter in model.parameters()}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert all(names[id(p)].endswith("weight") for p in decayed["params"])
    assert all(names[id(p)].endswith(("bias", "scale", "shift")) for p in free["params"])


def test_a_frozen_parameter_is_in_no_group() -> None:
    model = GPTModel(GPTConfig(16, 1, 2, 8, vocab_size=40))
    model.position_embedding.weight.requires_grad_(False)
    grouped = [id(parameter) for group in decay_groups(model, 0.1) for parameter in group["params"]]
    assert len(grouped) == len(list(model.parameters())) - 1
    assert id(model.position_embedding.weight) not in grouped


@few
@given(st.integers(0, 100), st.integers(1, 100), shares, st.floats(0.01, 1))
def test_a_warmup_that_reaches_into_the_descent_stays_below_both(
    warm: int, total: int, floor: float, decay: float
) -> None:
    """By two straight lines: as far as the warmup has come, and no higher than the descent still allows."""
    warm = min(warm, total)
    fall = max(1, round(decay * total))
    for step in range(total + 1):
        rising = (step + 1) / warm if warm else 1.0
        falling = 1 - (1 - floor) * (step - (total - fall)) / fall
        found = warmup_stable_decay(
            step, warmup_steps=warm, total_steps=total, min_lr_ratio=floor, decay_fraction=decay
        )
        assert found == pytest.approx(min(1.0, rising, falling), abs=1e-12)


def test_a_function_of_ones_own_is_asked_and_held_to_a_number(tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text(
        "def line(step, total_steps, warmup_steps):\n"
        "    return 1 - step / total_steps if step >= warmup_steps else 0.25\n"
        "def negative(step, total_steps, warmup_steps):\n    return -1.0\n"
        "def late(step, total_steps, warmup_steps):\n    return 1 / (total_steps - step)\n"
    )
    plan = Plan(10, 1, 1, 1, warmup_steps=2, schedule_steps=10, eval_every=1, log_every=1)
    with user_code.allowed([tmp_path / "idea.py"]):
        factor = make_schedule(Config(schedule=ScheduleConfig(name="idea.py:line")), plan)
        assert [factor(step) for step in (0, 1, 2, 5)] == [0.25, 0.25, 0.8, 0.5]
        for name, said in (
            ("negative", r"schedule\.name=idea\.py:negative says -1\.0 at step 0, and must say a number from 0 up"),
            ("late", r"fails at step 10 \(ZeroDivisionError: .*, idea\.py line 6\)"),
        ):
            with pytest.raises(LabError, match=said):
                make_schedule(Config(schedule=ScheduleConfig(name=f"idea.py:{name}")), plan)
