"""Which device is chosen, and what torch calls it."""

import pytest
import torch

from lab.system.device import DEVICES, choose, count, is_available, seed_generators, torch_device


@pytest.mark.parametrize(
    ("has_gpu", "has_mps", "best", "for_torch"),
    [
        (True, True, "gpu", "cuda"),
        (True, False, "gpu", "cuda"),
        (False, True, "mps", "mps"),
        (False, False, "cpu", "cpu"),
    ],
)
def test_auto_is_the_best_that_is_there(
    has_gpu: bool, has_mps: bool, best: str, for_torch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)
    assert choose() == choose("auto") == best
    assert torch_device() == torch_device("auto") == torch.device(for_torch)
    assert [name for name in DEVICES if is_available(name)] == ["gpu"] * has_gpu + ["mps"] * has_mps + ["cpu"]


def test_a_device_that_is_named_is_that_one() -> None:
    for name in DEVICES:
        assert choose(name) == name
    assert torch_device("gpu") == torch_device("cuda") == torch.device("cuda")
    assert torch_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(RuntimeError):
        torch_device("abacus")
    assert not is_available("abacus")


def test_the_generators_are_where_manual_seed_would_put_them() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    seed_generators(torch.device("cpu"), 7)
    assert torch.equal(torch.rand(3), expected)


def test_how_many_train_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [count(name) for name in DEVICES] == [4, 1, 1]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert count("gpu") == 1  # a run that asks for one is told so by the run
