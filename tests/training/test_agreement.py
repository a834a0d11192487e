"""What processes decide together; that they do is seen in ``test_processes.py``."""

from typing import Any

import pytest
import torch
from torch.distributed.distributed_c10d import ReduceOp

from lab.training import agreement


def test_alone_one_agrees_with_oneself_and_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda *_, **__: pytest.fail("a message"))
    assert agreement.largest([3, 0]) == [3, 0]
    assert agreement.any_of_them(True)
    assert not agreement.any_of_them(False)


def test_the_largest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message, and no number is lost in it."""
    sent = []

    def all_reduce(tensor: torch.Tensor, op: Any, group: Any) -> None:
        assert op == ReduceOp.MAX
        sent.append(tensor.tolist())
        tensor.copy_(torch.maximum(tensor, torch.tensor([2, 2**62 + 1])))

    monkeypatch.setattr(agreement, "are_several", lambda: True)
    monkeypatch.setattr(agreement, "_processors", lambda _: None)
    monkeypatch.setattr(torch.distributed, "all_reduce", all_reduce)
    assert agreement.largest([15, 0]) == [15, 2**62 + 1]
    assert sent == [[15, 0]]
