"""How much memory there is, and how much of it is free."""

import subprocess
from pathlib import Path

import psutil

_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""A container may have less than its machine: where its limit stands, and what it uses."""


def total() -> int:
    """The bytes of memory, swap included, that processes of this machine or container can have."""
    there = psutil.virtual_memory().total + psutil.swap_memory().total
    return min([there, *(limit for limit, _ in _limits())])


def free() -> int:
    """The bytes that a process could have now with nothing swapped out for it."""
    return max(0, min([psutil.virtual_memory().available, *(limit - used for limit, used in _limits())]))


def of_gpu() -> tuple[int, int] | None:
    """The free and the total bytes of the first NVIDIA GPU; None where nobody can tell. torch is not asked, because its
    answer takes some hundred megabytes of that very memory for as long as this process lives."""
    command = ["nvidia-smi", "--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=True).stdout
        free_mib, total_mib = map(int, told.splitlines()[0].split(","))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
    return free_mib << 20, total_mib << 20


def _limits() -> list[tuple[int, int]]:
    found = []
    for limit, used in _GROUPS:
        try:
            found.append((_number(limit), _number(used)))
        except (OSError, ValueError):  # no such limit: "max"
            continue
    return found


def _number(file: str) -> int:
    return int(Path(file).read_text(encoding="ascii"))
