"""What this machine can do of what the options ask. Lightning and torch replace some of what a machine lacks by
something else and go on; here it is refused, so that no run is in another arithmetic, or on another device, than it
says."""

import os
import warnings
from contextlib import AbstractContextManager, nullcontext

import torch

from lab.config.schema import TrainerConfig
from lab.errors import LabError
from lab.system import device as devices
from lab.system import ranks

_WAYS = {
    "gpu": ("GPU", "leave out trainer=gpu, or choose trainer=cpu"),
    "mps": ("Apple GPU", "choose trainer.accelerator=cpu"),
}
"""Of devices that a machine may lack: what people call them, and what to choose instead."""
_NUMBERS = {"bf16-mixed": torch.bfloat16, "bf16-true": torch.bfloat16, "16-mixed": torch.float16}


def accelerator(config: TrainerConfig) -> str:
    """``cpu``, ``gpu`` or ``mps``: where the run will be, in the arithmetic that was asked for.

    Raises:
        LabError: if the machine has no such device, fewer than asked for, or not that arithmetic.
    """
    chosen = devices.choose(config.accelerator)
    if not devices.is_available(chosen):
        kind, way = _WAYS[chosen]
        raise LabError(f"this machine has no {kind} that torch can use: {way}")
    # Processes may share a processor, at least to see how several of them work together.
    available = max(2, os.cpu_count() or 1) if chosen == "cpu" else devices.count(chosen)
    if int(config.devices) > available:
        raise LabError(
            f"trainer.devices={config.devices}: this machine has {available} for trainer.accelerator={chosen}"
        )
    place = ranks.mine()
    if chosen == "gpu" and not place.is_alone:  # else each process would take some memory of the first GPU, too
        torch.cuda.set_device(place.local_rank)
    refuse_other_arithmetic(config.precision, chosen)
    return chosen


def refuse_other_arithmetic(precision: str, device: str) -> None:
    """Makes sure that ``device`` computes in ``precision``.

    Raises:
        LabError: naming what it can do instead.
    """
    numbers = _NUMBERS.get(precision)
    if numbers is None:
        return
    if precision == "16-mixed" and device == "cpu":  # Lightning would take bf16-mixed
        raise LabError("trainer.precision=16-mixed is for GPUs, and this run is on a CPU: take bf16-mixed or 32-true")
    other = "16-mixed or 32-true" if numbers is torch.bfloat16 else "32-true"
    # Newer torch emulates bf16 on GPUs without it: slower than the full precision that it is taken to save time on.
    emulated = device == "gpu" and numbers is torch.bfloat16 and not torch.cuda.is_bf16_supported(False)
    if emulated or not _multiplies(numbers, devices.torch_device(device)):
        raise LabError(f"trainer.precision={precision}: {device_name(device)} has no such arithmetic: take {other}")


def autocast(config: TrainerConfig, device: torch.device) -> AbstractContextManager[object]:
    """What a forward pass and its loss have to be computed within where no Lightning is around, as in a benchmark:
    ``with autocast(config.trainer, device): loss = next_token_loss(...)``. In bf16-true the model is converted instead.
    """
    mixed = config.precision.endswith("-mixed")
    return torch.autocast(device.type, _NUMBERS[config.precision]) if mixed else nullcontext()


def _multiplies(numbers: torch.dtype, device: torch.device) -> bool:
    """Is a product under autocast in these numbers? Where they are not to be had, torch warns and takes others."""
    try:
        with warnings.catch_warnings(action="error"), torch.autocast(device.type, numbers):
            ones = torch.ones(2, 2, device=device)
            return (ones @ ones).dtype is numbers
    except (RuntimeError, UserWarning):
        return False


def device_name(chosen: str) -> str:
    """What the summary calls the device."""
    if chosen == "gpu":
        return torch.cuda.get_device_name()
    return f"cpu, {torch.get_num_threads()} threads" if chosen == "cpu" else "Apple GPU"


def arithmetic(config: TrainerConfig, device: str) -> str:
    """What the run computes in, for the summary."""
    found = config.precision
    if device == "gpu" and tensor_float():
        found += ", TensorFloat-32 where fp32 is multiplied"
    return f"{found}, compiled" if config.compile else found


def allow_tensor_float() -> None:
    """TensorFloat-32 for the products of what stays in fp32: ten bits of mantissa are plenty for a gradient."""
    torch.set_float32_matmul_precision("high")


def tensor_float() -> bool:
    """Does this GPU take TensorFloat-32, once that is allowed? Older ones multiply in fp32 all the same."""
    return torch.cuda.get_device_capability() >= (8, 0)


def try_compiling(device: str) -> None:
    """Compiles something tiny, forward and backward, as the blocks will be.

    Raises:
        LabError: if torch.compile does not work on this machine.
    """
    numbers = torch.ones(8, device=devices.torch_device(device), requires_grad=True)
    try:
        torch.compile(lambda x: (x * x).sum())(numbers).backward()
    except Exception as error:  # a compiler that is missing or broken, a folder that cannot be written, and so on
        raise cannot_compile(error) from error


def is_of_compiling(error: BaseException) -> bool:
    """Did torch.compile raise this, rather than what was being compiled?"""
    from torch._dynamo.exc import TorchDynamoException  # takes seconds to import, where nothing is compiled

    return isinstance(error, TorchDynamoException)


def cannot_compile(error: BaseException) -> LabError:
    """The sentence for a compilation that failed."""
    while (inner := error.__cause__ or error.__context__ or getattr(error, "inner_exception", None)) is not None:
        error = inner
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return LabError(
        f"trainer.compile=true does not work here ({reason[0].rstrip('.')}): "
        "install what is missing, or choose trainer.compile=false"
    )
