"""Each figure against a float64 sum, or a brute-force count."""

import math
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from lab.data.token_counts import count
from lab.training.metrics import (
    LanguageModelMetrics,
    model_flops_utilization,
    peak_flops,
    unigram_loss,
)

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

scored_tokens = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 12)), min_size=1, max_size=60)
"""For each token its loss and its bytes."""


def add(metric: LanguageModelMetrics, scored: list[tuple[float, int]]) -> None:
    losses = torch.tensor([loss for loss, _ in scored], dtype=torch.float64)
    metric.update(losses.sum(), len(scored), torch.tensor(sum(n_bytes for _, n_bytes in scored)))


@few
@given(scored_tokens, st.data())
def test_the_cut_into_batches_does_not_matter(scored: list[tuple[float, int]], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(scored)), max_size=6)) | {0, len(scored)})
    metric = LanguageModelMetrics()
    for start, stop in pairwise(cuts):
        add(metric, scored[start:stop])
    found = metric.compute()
    nll = math.fsum(loss for loss, _ in scored)
    assert found["loss"].item() == pytest.approx(nll / len(scored), rel=1e-12, abs=1e-9)
    assert found["perplexity"].item() == pytest.approx(math.exp(nll / len(scored)), rel=1e-8)
    n_bytes = sum(n_bytes for _, n_bytes in scored)
    assert found["bits_per_byte"].item() == pytest.approx(nll / math.log(2) / n_bytes, rel=1e-12, abs=1e-9)


def test_reset_forgets() -> None:
    metric = LanguageModelMetrics()
    add(metric, [(100.0, 3)])
    metric.reset()
    add(metric, [(1.0, 2), (3.0, 2)])
    assert metric.compute()["loss"].item() == 2


def test_small_losses_are_not_lost_beside_a_large_sum() -> None:
    metric = LanguageModelMetrics()
    metric.update(torch.tensor(2.0**25), 1, torch.tensor(1))
    for _ in range(100):
        metric.update(torch.tensor(1.0), 1, torch.tensor(1))  # float32 would still stand at 2**25
    assert metric.compute()["loss"].item() * 101 == pytest.approx(2**25 + 100, abs=1e-6)


@pytest.mark.parametrize(
    "cast",
    [
        lambda module: module.to(torch.bfloat16),
        lambda module: module.bfloat16(),
        lambda module: module.half(),
    ],
)
def test_a_model_in_half_precision_does_not_take_the_sums_along(cast: Callable[[nn.Module], nn.Module]) -> None:
    box = nn.ModuleDict({"layer": nn.Linear(2, 2), "metric": LanguageModelMetrics()})
    cast(box)
    metric = box["metric"]
    assert isinstance(metric, LanguageModelMetrics)
    for _ in range(1000):
        metric.update(torch.tensor(1.0), 1, torch.tensor(1))
    assert metric.compute()["loss"].item() == 1


def test_devices_add_up_their_sums() -> None:
    left, right, both = LanguageModelMetrics(), LanguageModelMetrics(), LanguageModelMetrics()
    add(left, [(1.0, 2)])
    add(right, [(4.0, 1), (7.0, 3)])
    add(both, [(1.0, 2), (4.0, 1), (7.0, 3)])
    left.merge_state(right)
    assert left.compute() == both.compute()


tokens = st.lists(st.integers(0, 9), min_size=1, max_size=50)


def counted(ids: list[int]) -> np.ndarray:
    return count(np.array(ids, dtype=np.uint16), 10)


@few
@given(st.lists(st.integers(0, 9), max_size=50), tokens)
def test_unigram_loss_by_brute_force(train: list[int], targets: list[int]) -> None:
    counts = Counter(train)
    losses = []
    for alpha in (1.0, 0.1, 0.01):
        total = -math.fsum(math.log((counts[t] + alpha) / (len(train) + alpha * 10)) for t in targets)
        losses.append(total / len(targets))
    found = unigram_loss(counted(train), counted(targets))
    assert found == pytest.approx(min(losses), rel=1e-10)


@few
@given(tokens, tokens)
def test_no_unigram_model_beats_the_entropy_of_the_targets(train: list[int], targets: list[int]) -> None:
    shares = [count / len(targets) for count in Counter(targets).values()]
    entropy = -sum(share * math.log(share) for share in shares)
    ours = unigram_loss(counted(train), counted(targets))
    assert ours >= entropy - 1e-12


def test_unigram_loss_approaches_the_entropy_of_its_own_text() -> None:
    counts = count(np.repeat(np.arange(4, dtype=np.uint16), [4000, 2000, 1000, 1000]), 50257)
    assert unigram_loss(counts, counts) == pytest.approx(1.75 * math.log(2), abs=0.1)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA L40S", 362e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A10", 125e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H200", 989e12),
        ("Tesla T4", 65e12),
        ("Tesla V100-SXM2-16GB", 125e12),
        ("NVIDIA GeForce RTX 4090", 165e12),
        ("NVIDIA GeForce RTX 3090", 71e12),
        ("AMD EPYC 9654", None),
        ("", None),
    ],
)
def test_peak_of_a_device(name: str, peak: float | None) -> None:
    assert peak_flops(name) == peak


@pytest.mark.parametrize(
    ("name", "other"), [("NVIDIA L40", "L4"), ("NVIDIA RTX A1000 Laptop GPU", "A100"), ("NVIDIA T400 4GB", "T4")]
)
def test_a_device_does_not_get_the_peak_of_another(name: str, other: str) -> None:
    assert peak_flops(name) != peak_flops(other)


def test_utilization() -> None:
    assert model_flops_utilization(tokens_per_second=1000, flops_a_token=2_000_000, peak=8e9) == 0.25


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_one_loss_that_is_no_number_is_told_and_forgotten_at_the_next_reset(odd: float) -> None:
    metric = LanguageModelMetrics()
    add(metric, [(1.0, 2)])
    add(metric, [(odd, 2)])
    add(metric, [(1.0, 2)])
    assert all(math.isnan(metric.compute()[name].item()) for name in ("loss", "perplexity", "bits_per_byte"))
    metric.reset()
    add(metric, [(1.0, 2)])
    assert metric.compute()["loss"].item() == 1
