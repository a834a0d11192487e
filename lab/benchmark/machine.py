"""The machine that is measured on: what it is, and what it can do about."""

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch


def flops_per_second(threads: int) -> float:
    """What the machine does about, from a few large products: for guesses of how long things take."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        left = torch.ones(512, 512)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            left @ left
            times.append(time.perf_counter() - began)
        return float(2 * 512**3 / min(times))
    finally:
        torch.set_num_threads(before)


def described(threads: int) -> dict[str, Any]:
    """What a figure means nothing without."""
    versions = {}
    for package in ("gpt-lab", "torch", "lightning", "transformers", "litgpt", "tiktoken"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": platform.processor() or platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }
