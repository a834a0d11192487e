"""What torch says of bfloat16, against what the processor says of itself."""

import sys
from pathlib import Path

import pytest
import torch

from lab.system.native_bf16 import multiplies_bf16


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc/cpuinfo")
def test_a_processor_with_the_instructions_and_only_such_a_one() -> None:
    flags = {flag for line in Path("/proc/cpuinfo").read_text().splitlines() for flag in line.split()}
    assert multiplies_bf16(torch.device("cpu")) == bool(flags & {"avx512_bf16", "amx_tile"})


def test_of_other_devices_nothing_is_assumed() -> None:
    assert not multiplies_bf16(torch.device("meta"))
