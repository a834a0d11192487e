"""Does this machine multiply bfloat16 itself, or does torch emulate it?

Where it is emulated, a product takes several times as long as in fp32 instead of half as long, and gives nothing for
it. Torch is asked, not a clock: a run that goes on must choose as it chose before.
"""

import torch


def multiplies_bf16(device: torch.device) -> bool:
    """Is a product in bfloat16 on ``device`` made by instructions for it? On a processor, AVX-512's or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in asked)
