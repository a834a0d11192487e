"""Memory: how it is taken, and how it is told when it runs out."""

import sys

import pytest
import torch

from lab.system import malloc
from lab.system.malloc import ran_out


def test_memory_that_has_run_out_is_told_from_a_bug() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert ran_out(caught.value)
    assert not ran_out(RuntimeError("shapes do not match"))


def test_the_allocator_is_asked_on_linux_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Library:
        def __init__(self, _: None) -> None:
            self.mallopt = lambda *what: asked.append(what)

    monkeypatch.setattr("ctypes.CDLL", Library)
    monkeypatch.setattr(sys, "platform", "darwin")
    malloc.keep_freed_memory()
    assert asked == []
    monkeypatch.setattr(sys, "platform", "linux")
    malloc.keep_freed_memory()
    # M_MMAP_MAX and M_TRIM_THRESHOLD as glibc's malloc.h has them.
    assert asked == [(-4, 0), (-1, 2**31 - 1)]
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())  # musl has no such function
    malloc.keep_freed_memory()


def test_what_ran_out_is_told_by_kind_or_by_word() -> None:
    assert ran_out(MemoryError())
    assert ran_out(torch.OutOfMemoryError())
    assert not ran_out(ValueError("can't allocate memory"))
