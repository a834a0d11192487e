"""Whether this processor computes in bfloat16, or torch only acts as if: asked of torch, and measured.

Processors with AVX-512 BF16 or AMX, and some of ARM's, multiply bf16 two to sixteen times as fast as fp32. On others
torch converts number by number, and takes tens of times as long. What a processor calls itself does not say what torch
makes of it; how long a product takes does.
"""

import platform
import time
from functools import cache

import torch

FAST = 1.5
"""From this ratio on, bf16 is worth the conversions around it. Processors that have it are beyond, those that have not
below 1: two measurements of one machine agree."""
_SMALL, _LARGE = (64, 256, 256), (256, 512, 512)
"""Rows, inner and columns of the products: the small one takes 10 ms even where each number is converted."""
_ROUNDS, _SECONDS = 7, 0.08
"""Products in each format, at the most, and for how long at the most (but one of each)."""


@cache
def native() -> tuple[bool, str]:
    """Is bf16 fast on this processor? And why it is thought so. Found out once in a process, in less than 0.2 s."""
    if _torch_knows_of_none():
        return False, "this processor has no bf16"
    ratio = _ratio(_SMALL)
    if ratio > 0.5:
        ratio = _ratio(_LARGE)
    return ratio >= FAST, f"this processor multiplies bf16 {ratio:.2g} times as fast as fp32"


def _torch_knows_of_none() -> bool:
    """Of Intel's and AMD's, torch can tell."""
    asked = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    if platform.machine().lower() not in ("x86_64", "amd64") or None in asked:
        return False
    return not any(ask() for ask in asked if ask is not None)


def _ratio(shape: tuple[int, int, int]) -> float:
    """How many times as fast as in fp32 a product in bf16 is: the fastest of several in either format, in turns, so
    that what else the machine does meets both alike. No random numbers are drawn for it."""
    rows, inner, columns = shape
    one, other = torch.full((rows, inner), 0.5), torch.full((inner, columns), 0.25)
    pairs = [(one, other), (one.bfloat16(), other.bfloat16())]
    fastest = [float("inf"), float("inf")]
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        for a, b in pairs:
            torch.mm(a, b)  # asks for memory and wakes the threads
        start = time.perf_counter()
        for _ in range(_ROUNDS):
            for kind, (a, b) in enumerate(pairs):
                began = time.perf_counter()
                torch.mm(a, b)
                fastest[kind] = min(fastest[kind], time.perf_counter() - began)
            if time.perf_counter() - start > _SECONDS:
                break
    return fastest[0] / fastest[1]
