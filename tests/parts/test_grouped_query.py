"""Whose keys and values a head uses."""

import torch

from lab.parts.grouped_query import shared


def test_neighbouring_heads_share() -> None:
    keys = torch.arange(2.0)[None, :, None, None]
    assert shared(keys, 6)[0, :, 0, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert shared(keys, 2) is keys
