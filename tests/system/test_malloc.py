"""Memory: how it is taken, and how it is told when it runs out."""

import pytest
import torch

from lab.system.malloc import ran_out


def test_memory_that_has_run_out_is_told_from_a_bug() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert ran_out(caught.value)
    assert not ran_out(RuntimeError("shapes do not match"))
