"""What ``trainer.precision=auto`` comes to on this machine.

bf16-mixed keeps weights, sums and the optimizer in fp32 and has the factors of products in bf16: half the memory to
move, and several times the speed where the hardware has a unit for it. Elsewhere it would be slower than fp32.
"""

from dataclasses import replace

import torch

from lab.config.schema import TrainerConfig
from lab.system import bfloat16
from lab.system import device as devices

AUTO = "auto"


def settle(trainer: TrainerConfig) -> str | None:
    """Puts what ``auto`` comes to in its place, so that the run's files and checkpoints name a number format and a run
    that goes on elsewhere keeps it. Returns a remark for the summary: the reason, or that a format is slow here."""
    if trainer.precision == AUTO:
        trainer.precision, why = automatic(trainer)
        return f"auto: {why}"
    if trainer.precision.startswith("bf16") and devices.choose(trainer.accelerator) == "cpu":
        fast, why = bfloat16.native()
        return None if fast else f"{why}: trainer.precision=32-true is faster"
    return None


def resolved(trainer: TrainerConfig) -> str:
    """The number format that a run with these options has on this machine."""
    return automatic(trainer)[0] if trainer.precision == AUTO else trainer.precision


def unsaid(trainer: TrainerConfig, option: str) -> str:
    """The number format that these options would have had, had ``option`` been left as it is."""
    return resolved(replace(trainer, precision=option))


def automatic(trainer: TrainerConfig) -> tuple[str, str]:
    """What ``auto`` comes to, and why."""
    device = devices.choose(trainer.accelerator)
    if device == "gpu":
        # Newer torch emulates bf16 on GPUs without it.
        if torch.cuda.is_available() and torch.cuda.is_bf16_supported(False):
            return "bf16-mixed", "this GPU computes in bf16"
        return "32-true", "this GPU has no bf16"
    if device != "cpu":
        return "32-true", "an Apple GPU gains little by bf16"
    if trainer.processes > 1:
        return "32-true", "several processes would have to agree on a measurement"
    fast, why = bfloat16.native()
    return ("bf16-mixed" if fast else "32-true"), why
