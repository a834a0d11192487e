"""How fast a machine multiplies, and how long a step takes by that."""

from dataclasses import replace

import torch

from lab.model import GPTConfig
from lab.parts.cost import flops_per_token
from lab.profiling.rate import Rate, measure, step_seconds

SMALL = GPTConfig(vocab_size=1000, context_length=64, emb_dim=64, n_heads=4, n_layers=2)


def test_what_is_measured_is_of_this_machine() -> None:
    rate = measure(torch.float32, torch.device("cpu"), seconds=0.05)
    assert 1e6 < rate.flops_per_second < 1e16
    assert rate.overhead > 0


def test_a_step_takes_its_work_and_what_each_product_takes_besides() -> None:
    work = flops_per_token(SMALL) * 8 * SMALL.context_length
    fast, slow = (step_seconds(SMALL, 8, Rate(0.0, rate)) for rate in (1e12, 1e6))
    # Products are 0.72 to 0.84 of a step, so that it takes 1.2 to 1.4 times as long as they would alone.
    assert 1.1 < slow * 1e6 / work < 1.6
    assert fast < 0.02
    held_up = step_seconds(SMALL, 8, Rate(0.001, 1e12)) - fast
    # Forward and backward, three products for each of 4 matrices a block and the head, and 6 for the scores.
    assert 0.001 * (2 * (4 * 3 + 6) + 3) <= held_up * 0.75 <= 0.002 * (2 * (4 * 3 + 6) + 3)


def test_weights_are_moved_whatever_the_batch() -> None:
    """A vocabulary of 50,257 costs a tiny model more than its products do."""
    rate = Rate(1e-5, 2e10)
    tiny, wide = (replace(SMALL, vocab_size=v, emb_dim=32, context_length=16) for v in (100, 50_257))
    apart = step_seconds(wide, 1, rate) - step_seconds(tiny, 1, rate)
    products = flops_per_token(wide) - flops_per_token(tiny)
    assert apart > 1.3 * products * tiny.context_length / rate.flops_per_second + 0.005
