"""The range test on curves whose answer is known, and on a model."""

import math

import pytest
import torch

from lab.config import compose
from lab.config.schema import Config, check
from lab.model import GPTModel
from lab.training import wiring
from lab.training.datamodule import LabData
from lab.training.lr_range_test import Curve, range_test, rising


def test_rates_rise_by_the_same_multiple() -> None:
    assert rising(1e-4, 1.0, 5) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_a_third_of_the_rate_of_the_lowest_loss_is_proposed() -> None:
    rates = rising(1e-5, 1.0, 101)
    losses = [10 - 5 * math.exp(-((math.log10(rate) + 2) ** 2)) for rate in rates]  # lowest at 1e-2
    noisy = [loss + 0.1 * (-1) ** step for step, loss in enumerate(losses)]
    for found in (Curve(rates, losses), Curve(rates, noisy)):
        assert found.rates[found.lowest] == pytest.approx(1e-2, rel=0.13)
        assert found.proposed == 3e-3
    assert Curve(rates, losses).smoothed[0] == losses[0]


def test_nothing_is_proposed_where_there_is_no_valley() -> None:
    rates = rising(1e-5, 1.0, 50)
    assert Curve(rates, [10.0] * 50).proposed is None
    assert Curve(rates, [10.0 - step / 10 for step in range(50)]).proposed is None


WORDS = ["model.emb_dim=16", "model.n_layers=1", "model.n_heads=2", "model.context_length=8", "data.batch_size=2"]


def _parts(*words: str) -> tuple[Config, GPTModel, torch.optim.Optimizer, LabData]:
    config = check(compose.compose_config([*WORDS, *words]))
    model = wiring.make_model(config)
    tokens = torch.arange(4000).remainder(37).numpy().astype("uint16")
    data = LabData(tokens, config.data, config.model.context_length, config.seed)
    return config, model, wiring.make_optimizer(config, model, "cpu"), data


def test_a_model_learns_at_the_rates_until_it_diverges() -> None:
    config, model, optimizer, data = _parts("optimizer.embedding_lr=6e-4", "trainer.accumulate_grad_batches=2")
    told: list[tuple[float, float]] = []
    rates = rising(1e-3, 100.0, 41)
    curve = range_test(config, model, optimizer, data, rates=rates, tell=lambda *one: told.append(one))
    assert list(zip(curve.rates, curve.losses, strict=True)) == told
    assert len(told) < 40  # a rate of 100 was not needed to see it diverge
    assert curve.rates == rates[: len(told)]
    assert min(curve.losses) < 9 < curve.losses[0] < 11
    first, embedding = optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"]
    assert embedding == pytest.approx(2 * first)  # the ratio of the options


def test_the_loss_of_a_rate_is_the_one_after_its_step() -> None:
    """With a rate of zero but for the second step, the third loss is the first that can differ."""
    losses = {}
    for second in (0.0, 0.5):
        parts = _parts("data.shuffle=false", "model.drop_rate=0")
        losses[second] = range_test(*parts, rates=[0.0, second, 0.0, 0.0], tell=lambda *_: None).losses
    assert losses[0.0][0] == losses[0.5][0]
    assert losses[0.0][1] != losses[0.5][1]
