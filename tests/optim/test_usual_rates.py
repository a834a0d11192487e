"""Learning rates that are far outside of what works."""

import pytest

from lab.config.choices import group_choices
from lab.config.compose import compose_config
from lab.config.schema import check
from lab.optim import usual_rates


def warning(*words: str) -> str | None:
    config = check(compose_config(list(words)))
    return usual_rates.warning(config.optimizer, config.model.emb_dim)


@pytest.mark.parametrize("optimizer", group_choices("optimizer"))
def test_what_the_lab_proposes_is_usual_at_any_width(optimizer: str) -> None:
    options = check(compose_config([f"optimizer={optimizer}"])).optimizer
    for width in (32, 96, 256, 512, 768, 1024):
        assert usual_rates.warning(options, width) is None


@pytest.mark.parametrize("experiment", group_choices("experiment"))
def test_and_in_its_experiments(experiment: str) -> None:
    assert warning(f"experiment={experiment}") is None


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("optimizer.lr=1e-2", "model.emb_dim=96", "model.n_heads=3"), "high"),  # a loss that leaps at step 12
        (("optimizer.lr=1",), "high"),
        (("optimizer.lr=1e-9",), "low"),
        (("optimizer.lr=1e-2", "model=medium"), "high"),
        (("optimizer=muon", "optimizer.lr=0.3"), "high"),
        (("optimizer=sgd", "optimizer.lr=3"), "high"),
        (("optimizer=sgd", "optimizer.lr=3e-4"), "low"),  # AdamW's rate, taken along
        (("optimizer=adafactor", "optimizer.lr=3e-4"), "low"),
    ],
)
def test_far_outside_it_names_the_range(words: tuple[str, ...], what: str) -> None:
    said = warning(*words) or ""
    assert f"far too {what}" in said
    assert "usual are " in said


def test_the_wider_the_smaller() -> None:
    """1e-2 is tried at width 32, and a slip at width 768."""
    assert warning("optimizer.lr=1e-2", "model.emb_dim=32") is None
    assert "0.001" in (warning("optimizer.lr=1e-2", "model.emb_dim=768", "model.n_heads=12") or "")


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert warning("optimizer._target_=torch.optim.Adagrad", "optimizer.lr=1") is None
    assert warning("optimizer=muon", "optimizer.adjust_lr_fn=original", "optimizer.lr=0.02") is None
    assert warning("optimizer.mup_base_width=64", "optimizer.lr=4e-3", "model=medium") is None


def test_small_rates_are_for_models_that_are_trained_already() -> None:
    config = check(compose_config(["optimizer.lr=1e-6", "model=medium"]))
    assert usual_rates.warning(config.optimizer, 768) is not None
    assert usual_rates.warning(config.optimizer, 768, begins_trained=True) is None
