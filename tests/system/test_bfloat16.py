"""Whether bf16 is fast here: what is asked of torch, and what is measured."""

import platform

import pytest
import torch

from lab.system import bfloat16
from lab.system.bfloat16 import native  # before conftest puts an answer in its place


def test_a_processor_without_it_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(bfloat16, "_ratio", lambda shape: pytest.fail("it was measured"))
    assert native.__wrapped__() == (False, "this processor has no bf16")


@pytest.mark.parametrize(
    ("machine", "small", "large", "fast"),
    [("arm64", 1.2, 3.0, True), ("arm64", 0.9, 1.4, False), ("arm64", 0.02, 9.0, False), ("AMD64", 2.0, 2.0, True)],
)
def test_where_there_may_be_one_the_ratio_decides(
    machine: str, small: float, large: float, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The large product is not tried where the small one shows that torch converts number by number."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: machine == "AMD64", raising=False)
    monkeypatch.setattr(bfloat16, "_ratio", lambda shape: small if shape == bfloat16._SMALL else large)
    found, why = native.__wrapped__()
    assert found is fast
    assert f" {large if small > 0.5 else small:.2g} times" in why


def test_the_measurement_leaves_no_trace() -> None:
    """A run's random numbers are the same whether it has asked or not; within autocast fp32 stays fp32."""
    before = torch.get_rng_state()
    with torch.autocast("cpu", torch.bfloat16):
        assert bfloat16._ratio(bfloat16._SMALL) > 0
        assert torch.is_autocast_enabled("cpu")
    assert torch.equal(torch.get_rng_state(), before)
