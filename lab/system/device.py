"""Which device a model is on: one choice for every command, and one way to name it for torch."""

import torch

DEVICES = ("gpu", "mps", "cpu")
"""What there may be, the best first: a GPU that torch calls ``cuda``, an Apple GPU, the processor. The names are those
of ``trainer.accelerator``."""

_TORCH_NAMES = {"gpu": "cuda"}


def is_available(device: str) -> bool:
    """Has this machine a ``device`` (one of ``DEVICES``) that torch can use?"""
    if device == "gpu":
        return torch.cuda.is_available()
    return torch.backends.mps.is_available() if device == "mps" else device == "cpu"


def choose(wanted: str = "auto") -> str:
    """One of ``DEVICES``: ``auto`` is the best that this machine has, and every other name stays as it is, whether
    there is such a device or not."""
    return next(filter(is_available, DEVICES)) if wanted == "auto" else wanted


def count(device: str) -> int:
    """How many of ``device`` (one of ``DEVICES``) can train side by side: every GPU, and else one."""
    return max(1, torch.cuda.device_count()) if device == "gpu" else 1


def torch_device(wanted: str = "auto") -> torch.device:
    """As torch names it: ``auto``, one of ``DEVICES``, or a name of torch's own, such as ``cuda:1``.

    Raises:
        RuntimeError: if torch knows no such name.
    """
    chosen = choose(wanted)
    return torch.device(_TORCH_NAMES.get(chosen, chosen))


def seed_generators(device: torch.device, seed: int) -> None:
    """Seeds the generators that random numbers on the CPU and on ``device`` come from: the same numbers as after
    ``torch.manual_seed``, which also asks for every other kind of device there might be, for 0.2 ms each time."""
    if device.type not in ("cpu", "cuda"):
        torch.manual_seed(seed)
        return
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(seed)
