"""Keeps memory that is freed for the next step instead of giving it back to the system after each, and knows when it
has run out."""

import ctypes
import sys

import torch

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # glibc's numbers for mallopt's parameters, from malloc.h
_HUGE = 2**31 - 1


def keep_freed_memory() -> None:
    """On Linux, asks glibc to satisfy large allocations from memory that it already holds.

    A training step allocates and frees the same large tensors again and again. By default glibc asks the system for
    each of them, which hands out fresh pages, filled with zeros one by one as they are touched: some percent of the
    time of a step of ``nano`` on a CPU. Elsewhere this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries (musl) have none
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _HUGE)


def ran_out(error: BaseException) -> bool:
    """Does ``error`` say that there was no memory left? On a CPU, torch has no class for that."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
