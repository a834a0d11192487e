"""What the processes of a run decide together. Alone, a process agrees with itself, and nothing is sent."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
import torch.distributed as dist


def are_several() -> bool:
    """Are there several processes, that have met?"""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def largest(numbers: Sequence[int]) -> list[int]:
    """Each of ``numbers`` (from 0 to 2**63 - 1) as large as it is in any of the processes. All of them must ask, and in
    the same order: it is one small message between processors, which no GPU waits for."""
    if not are_several():
        return list(numbers)
    told = torch.tensor(numbers, dtype=torch.int64)
    dist.all_reduce(told, op=dist.ReduceOp.MAX, group=_processors(id(dist.group.WORLD)))
    return [int(number) for number in told]


def any_of_them(found: bool) -> bool:
    """Is it so in any of the processes? All of them must ask."""
    return largest([int(found)]) == [1]


@cache
def _processors(world: int) -> Any:
    """The group by which numbers go that are on no GPU; anew for each ``world`` of a process that has had several."""
    return None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
