"""Queries and keys come to one length, whatever it was."""

import torch

from lab.parts.qk_norm import QKNorm


def test_lengths_do_not_count() -> None:
    torch.manual_seed(0)
    queries, keys = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8)
    norm = QKNorm(8, eps=1e-12)
    norm.keys.scale.data.fill_(3.0)
    normed = norm(queries, keys)
    torch.testing.assert_close(normed[0].norm(dim=-1), torch.full((2, 3, 5), 8**0.5))
    torch.testing.assert_close(normed[1].norm(dim=-1), torch.full((2, 3, 5), 3 * 8**0.5))
    torch.testing.assert_close(norm(100 * queries, 0.01 * keys), normed, rtol=1e-4, atol=1e-4)
