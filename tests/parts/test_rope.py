"""Rotations against complex numbers, and what they are for: scores that know distances alone."""

import torch

from lab.parts.rope import RotaryPosition


def test_a_pair_is_a_complex_number_that_is_turned() -> None:
    torch.manual_seed(0)
    x, positions = torch.randn(2, 3, 5, 8), torch.tensor([0, 1, 7, 300, 4000])
    pairs = torch.complex(x[..., :4].double(), x[..., 4:].double())
    speeds = 100.0 ** (-torch.arange(4, dtype=torch.float64) / 4)
    turned = pairs * torch.exp(1j * positions[:, None] * speeds)
    expected = torch.cat((turned.real, turned.imag), -1)
    found = RotaryPosition(8, base=100.0).rotate(x, positions)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-3)  # 4000 radians in fp32
    torch.testing.assert_close(found[:, :, :3].double(), expected[:, :, :3], rtol=0, atol=1e-5)


def test_a_score_depends_on_the_distance() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(1, 1, 1, 16), torch.randn(1, 1, 1, 16)
    rope = RotaryPosition(16)

    def score(i: int, j: int) -> float:
        turned = rope.rotate(query, torch.tensor([i])) * rope.rotate(key, torch.tensor([j]))
        return float(turned.sum())

    assert abs(score(5, 3) - score(105, 103)) < 1e-4
    assert abs(score(5, 3) - score(5, 2)) > 1e-2


def test_texts_of_a_batch_have_positions_of_their_own() -> None:
    x = torch.randn(2, 3, 4, 8)
    rope = RotaryPosition(8)
    both = rope.rotate(x, torch.tensor([[0, 1, 2, 3], [9, 10, 11, 12]]))
    torch.testing.assert_close(both[1], rope.rotate(x[1:], torch.arange(9, 13))[0])


def test_half_precision_is_turned_in_full_and_comes_back_as_it_was() -> None:
    x = torch.randn(1, 1, 2, 8).bfloat16()
    found = RotaryPosition(8).rotate(x, torch.tensor([256, 257]))
    assert found.dtype == torch.bfloat16
    exact = RotaryPosition(8).rotate(x.float(), torch.tensor([256, 257]))
    torch.testing.assert_close(found.float(), exact, rtol=0, atol=0.02)
