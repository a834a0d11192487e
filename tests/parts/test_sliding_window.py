"""Which keys a window shows."""

import torch

from lab.parts.sliding_window import within


def test_itself_and_those_just_before() -> None:
    seen = within(torch.arange(4)[:, None] - torch.arange(4), 2)
    assert seen.int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
