"""The authors' slopes, and the biases that they make."""

import pytest
import torch

from lab.parts.alibi import LinearBias, slopes


def test_slopes() -> None:
    assert slopes(8) == [1 / 2**power for power in range(1, 9)]  # the paper, section 3
    assert slopes(1) == [1 / 2**8]
    # As the authors' own code has them for 12 heads: those of 8, then every other one of 16.
    assert slopes(12) == pytest.approx([2.0**-p for p in (1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5)])


def test_a_score_loses_by_distance() -> None:
    distances = torch.arange(3)[:, None] - torch.arange(3)
    bias = LinearBias(2).bias(distances)
    assert bias.shape == (2, 3, 3)
    assert bias[0, 2].tolist() == [-2 / 16, -1 / 16, 0]
    assert bias[1, 2].tolist() == [-2 / 256, -1 / 256, 0]
    assert LinearBias(2).bias(distances[None, None]).shape == (1, 2, 3, 3)
