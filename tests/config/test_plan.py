"""The arithmetic of a run."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.config.plan import make_plan, refuse_senseless
from lab.config.schema import Config, ScheduleName
from lab.errors import LabError
from lab.optim import schedules
from lab.optim.schedules import make_schedule

few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def config(**changes: object) -> Config:
    """The defaults, but for ``group__option=value``."""
    made = Config()
    for name, value in changes.items():
        *groups, option = name.split("__")
        node: object = made
        for group in groups:
            node = getattr(node, group)
        assert hasattr(node, option), name
        setattr(node, option, value)
    return made


def test_a_run_by_hand() -> None:
    plan = make_plan(
        config(
            trainer__max_epochs=3,
            trainer__accumulate_grad_batches=2,
            trainer__devices=2,
            data__batch_size=5,
            model__context_length=64,
        ),
        n_windows=1000,
    )
    assert plan.windows_per_step == 20
    assert plan.tokens_per_step == 1280
    assert plan.total_steps == 150
    assert plan.n_windows == 1000
    assert plan.epochs == 3
    assert plan.warmup_steps == 15
    assert plan.schedule_steps == 150
    assert plan.eval_every == 15
    assert plan.log_every == 1


@pytest.mark.parametrize("total", [1, 2, 3])
def test_a_run_of_a_few_steps_is_a_whole_run(total: int) -> None:
    options = config(trainer__max_steps=total)
    plan = make_plan(options, n_windows=500)
    assert plan.total_steps == plan.schedule_steps == total
    assert plan.eval_every == plan.log_every == 1
    assert 0 <= plan.warmup_steps <= total
    factors = [make_schedule(options, plan)(step) for step in range(total)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1


def test_steps_win_over_epochs() -> None:
    plan = make_plan(config(trainer__max_steps=7, trainer__max_epochs=100), n_windows=400)
    assert plan.total_steps == 7
    assert plan.epochs == 7 * 4 / 400


counts = st.integers(1, 50)


@few
@given(counts, counts, st.integers(1, 8), st.integers(1, 4), st.integers(1, 100_000))
def test_epochs_are_finished_by_the_last_step_and_not_before(
    epochs: int, batch_size: int, accumulated: int, devices: int, n_windows: int
) -> None:
    plan = make_plan(
        config(
            trainer__max_epochs=epochs,
            data__batch_size=batch_size,
            trainer__accumulate_grad_batches=accumulated,
            trainer__devices=devices,
        ),
        n_windows,
    )
    assert plan.windows_per_step == batch_size * accumulated * devices
    assert (plan.total_steps - 1) * plan.windows_per_step < epochs * n_windows
    assert plan.total_steps * plan.windows_per_step >= epochs * n_windows
    assert plan.epochs >= epochs


@few
@given(st.integers(1, 10**7))
def test_open_intervals_suit_the_length_of_the_run(total: int) -> None:
    plan = make_plan(config(trainer__max_steps=total), n_windows=100)
    assert 0 <= plan.warmup_steps <= min(100, total / 10)
    assert 1 <= plan.eval_every <= 500
    assert total // plan.eval_every <= max(10, total / 500)  # ten evaluations, more only in a long run
    assert plan.log_every >= 1
    assert total / plan.log_every <= 1000


def test_long_runs_have_the_upper_bounds() -> None:
    plan = make_plan(config(trainer__max_steps=1_000_000), n_windows=100)
    assert (plan.warmup_steps, plan.eval_every, plan.log_every) == (100, 500, 1000)


def test_what_is_given_is_taken() -> None:
    given_ones = config(
        trainer__max_steps=1000, eval_every=7, log_every=3, schedule__warmup_steps=11, schedule__total_steps=600
    )
    plan = make_plan(given_ones, n_windows=100)
    assert (plan.eval_every, plan.log_every, plan.warmup_steps, plan.schedule_steps) == (7, 3, 11, 600)
    assert plan.total_steps == 1000


def test_no_warmup_is_not_an_open_warmup() -> None:
    assert make_plan(config(trainer__max_steps=1000, schedule__warmup_steps=0), 100).warmup_steps == 0


def test_the_warmup_is_a_share_of_the_schedule_not_of_the_run() -> None:
    """A run that is stopped early and one that goes to the end begin alike."""
    plan = make_plan(config(trainer__max_steps=50, schedule__total_steps=500), n_windows=100)
    assert plan.warmup_steps == 50


def test_a_prolonged_run_keeps_its_learning_rates_and_has_intervals_of_its_own_length() -> None:
    options = config(trainer__max_steps=200)
    first = make_plan(options, n_windows=100)
    longer = config(trainer__max_steps=5000)
    second = make_plan(longer, n_windows=100, earlier=asdict(first))
    assert second == replace(first, total_steps=5000, eval_every=500, log_every=5)
    schedules = make_schedule(options, first), make_schedule(longer, second)
    assert all(schedules[0](step) == schedules[1](step) for step in range(400))


def test_only_a_warmup_that_was_typed_can_be_too_long() -> None:
    first = make_plan(config(trainer__max_steps=1_000_000), n_windows=100)
    ended = config(trainer__max_steps=30, schedule__total_steps=30)
    kept = make_plan(ended, n_windows=100, earlier=asdict(first))
    assert kept.warmup_steps == 100
    refuse_senseless(ended, kept)
    typed = config(trainer__max_steps=30, schedule__warmup_steps=31)
    with pytest.raises(LabError, match=r"schedule.warmup_steps=31 .* 30 steps"):
        refuse_senseless(typed, make_plan(typed, n_windows=100))
    with pytest.raises(LabError, match=r"data.batch_size=4 .* 3 windows"):
        refuse_senseless(ended, make_plan(ended, n_windows=3))
    just_enough = config(trainer__max_steps=30, schedule__warmup_steps=30)
    refuse_senseless(just_enough, make_plan(just_enough, n_windows=4))


def test_what_is_given_wins_over_the_earlier_run() -> None:
    first = make_plan(config(trainer__max_steps=200), n_windows=100)
    changed = config(
        trainer__max_steps=400, eval_every=7, log_every=3, schedule__warmup_steps=0, schedule__total_steps=600
    )
    plan = make_plan(changed, n_windows=100, earlier=asdict(first))
    assert (plan.eval_every, plan.log_every, plan.warmup_steps, plan.schedule_steps) == (7, 3, 0, 600)


@few
@given(st.sampled_from(ScheduleName), st.integers(0, 300), st.integers(1, 300), st.floats(0, 1), st.floats(0.01, 1))
def test_the_schedule_is_the_one_that_was_asked_for(
    name: ScheduleName, step: int, total: int, floor: float, decay: float
) -> None:
    options = config(
        trainer__max_steps=total,
        schedule__name=name,
        schedule__warmup_steps=5,
        schedule__min_lr_ratio=floor,
        schedule__decay_fraction=decay,
    )
    shape: dict[str, Any] = {"warmup_steps": 5, "total_steps": total, "min_lr_ratio": floor}
    expected = {
        ScheduleName.constant: lambda: schedules.constant(step, warmup_steps=5),
        ScheduleName.cosine: lambda: schedules.cosine(step, **shape),
        ScheduleName.wsd: lambda: schedules.warmup_stable_decay(step, **shape, decay_fraction=decay),
    }
    assert make_schedule(options, make_plan(options, 100))(step) == expected[name]()
