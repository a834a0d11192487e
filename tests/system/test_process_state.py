"""What a training changes of its process is put back."""

import contextlib
import logging
import os
import random

import numpy as np
import pytest
import torch

from lab.system.process_state import put_back


def test_everything_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_ONE", "before")
    monkeypatch.setenv("LAB_TWO", "before")
    monkeypatch.delenv("LAB_THREE", raising=False)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = random.random(), np.random.random(), torch.rand(1)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    level = logging.getLogger("lightning").level
    with contextlib.suppress(ZeroDivisionError), put_back():
        os.environ["LAB_ONE"] = os.environ["LAB_THREE"] = "within"
        del os.environ["LAB_TWO"]
        random.random(), np.random.random(), torch.rand(1)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(threads + 1)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.set_float32_matmul_precision("medium")
        logging.getLogger("lightning").setLevel(99)
        raise ZeroDivisionError
    assert (os.environ["LAB_ONE"], os.environ["LAB_TWO"], "LAB_THREE" in os.environ) == ("before", "before", False)
    assert (random.random(), np.random.random(), torch.rand(1)) == expected
    assert torch.get_default_dtype() is torch.float32
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_float32_matmul_precision() == "highest"
    assert logging.getLogger("lightning").level == level
